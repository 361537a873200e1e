/**
 * The same toggle on a real QEMU, where one is installed: memory decode of one PCI device of many, switched through its
 * test protocol. Wall time of a commit, the register write itself subtracted. T-305.
 */
import { spawn, spawnSync } from 'node:child_process';

const PROGRAM = 'qemu-system-x86_64';
const PER_BRIDGE = 31;

/** The version line of the installed program, or null. */
export function qemuVersion() {
  const { stdout, status } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : null;
}

/** Microseconds of one commit with `devices` BARs mapped. */
export async function qemuToggle(devices, toggles = 400) {
  const bridges = Math.ceil(devices / PER_BRIDGE);
  const args = ['-M', 'pc', '-accel', 'tcg', '-m', '64', '-S', '-display', 'none', '-nodefaults', '-qtest', 'stdio'];
  args.push('-qtest-log', 'none');
  for (let b = 0; b < bridges; b++)
    args.push(
      '-device',
      `pci-bridge,id=br${b},chassis_nr=${b + 1},multifunction=on,addr=${(4 + (b >> 3)).toString(16)}.${b & 7}`,
    );
  for (let i = 0; i < devices; i++)
    args.push('-device', `pci-testdev,bus=br${Math.floor(i / PER_BRIDGE)},addr=${((i % PER_BRIDGE) + 1).toString(16)}`);
  const child = spawn(PROGRAM, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  let replies = 0;
  let waiting = null;
  child.stdout.on('data', (chunk) => {
    for (const byte of chunk) if (byte === 10) replies++;
    if (waiting !== null && replies >= waiting.count) waiting.resolve();
  });
  let sent = 0;
  const send = (lines) => {
    sent += lines.length;
    child.stdin.write(`${lines.join('\n')}\n`);
    return new Promise((resolve) => {
      waiting = { count: sent, resolve };
      if (replies >= sent) resolve();
    });
  };
  const config = (bus, devfn, register, value) => [
    `outl 0xcf8 0x${(0x8000_0000 + bus * 0x10000 + devfn * 0x100 + register).toString(16)}`,
    `outl 0xcfc 0x${(value >>> 0).toString(16)}`,
  ];
  for (let b = 0; b < bridges; b++) {
    const devfn = (4 + (b >> 3)) * 8 + (b & 7);
    const base = 0xe000_0000 + b * 0x10_0000;
    await send([
      ...config(0, devfn, 0x18, (b + 1) * 0x100 + (b + 1) * 0x10000),
      ...config(0, devfn, 0x20, (base >>> 16) | (((base + 0xf_ffff) >>> 16) << 16)),
      ...config(0, devfn, 4, 7),
    ]);
    for (let i = b * PER_BRIDGE; i < Math.min(devices, (b + 1) * PER_BRIDGE); i++) {
      const slot = (i % PER_BRIDGE) + 1;
      await send([...config(b + 1, slot * 8, 0x10, base + slot * 0x1000), ...config(b + 1, slot * 8, 4, 2)]);
    }
  }
  const time = async (values) => {
    const lines = [];
    for (let i = 0; i < toggles; i++) lines.push(...config(1, 8 * 5, 4, values[i % 2]));
    const start = performance.now();
    await send(lines);
    return ((performance.now() - start) * 1000) / toggles;
  };
  const samples = [];
  for (let round = 0; round < 5; round++) {
    const still = await time([2, 2]);
    samples.push((await time([0, 2])) - still);
  }
  child.kill();
  return Math.min(...samples);
}
