/**
 * What a device costs: a HPET register read through an address space against an empty handler, a clock step with nothing due.
 * CPU time, median of rounds, in ns an operation.
 *
 *   npx turbo run build --filter=@guestmem/devices && node -C dist bench/devices.mjs
 */
import { defineRegisters, HPET_SIZE, Hpet, RegisterFile, VirtualClock } from '@guestmem/devices';
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';

const BASE = 0xfed0_0000;
const COUNT = 2_000_000;
const ROUNDS = 9;
const word = le32;

/** An address space with RAM and one region of callbacks, as far from others' type feedback as one process allows. */
function spaceWith(ops) {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const space = core.addressSpace(system, 'memory');
  system.addSubregion(BASE, core.io('device', HPET_SIZE, ops));
  return space;
}

function reader(space, offset) {
  const tx = new MemTx();
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += space.txLoad(BASE + offset, word, MEMTXATTRS_UNSPECIFIED, tx);
    return sum;
  };
}

const clock = new VirtualClock();
const memory = spaceWith({ read: () => 0 });
const device = new Hpet({ clock, memory, outputs: [] });
device.ops.write(0x10, 1, 4);
clock.advanceBy(123_456_789);
const space = spaceWith(device.ops);
const empty = {
  endianness: 'little',
  valid: { minAccessSize: 4, maxAccessSize: 4 },
  impl: { minAccessSize: 4, maxAccessSize: 4 },
  read: () => 0,
  write: () => {},
};
const map = new RegisterFile(
  defineRegisters({ SCRATCH: { offset: 0x10, width: 32, write: 0xffff_ffff } }),
  {},
  { size: 0x400, minAccessSize: 4 },
);
const idle = new VirtualClock();
const armed = new VirtualClock();
armed.timer(() => {}).arm(2 ** 50);

const rows = [
  ['read/empty-handler', reader(spaceWith(empty), 0x10)],
  ['read/hpet-configuration', reader(space, 0x10)],
  ['read/hpet-counter-low', reader(space, 0xf0)],
  ['read/hpet-counter-high', reader(space, 0xf4)],
  ['read/hpet-comparator', reader(space, 0x108)],
  ['read/register-file', reader(spaceWith(map.ops), 0x10)],
  ['clock-step/nothing-armed', stepper(idle)],
  ['clock-step/one-armed-later', stepper(armed)],
];

function stepper(clock) {
  return (count) => {
    for (let i = 0; i < count; i++) clock.advanceBy(10);
    return clock.now;
  };
}

// Before any timing: the counter that is read is the one that a debugger sees.
if (reader(space, 0xf0)(1) !== device.ops.peek(0xf0, 4) || reader(space, 0xf0)(1) !== 12_345_678)
  throw new Error('wrong counter');

console.log(`node ${process.version}, ${COUNT} operations, median of ${ROUNDS} rounds`);
let floor = 0;
for (const [name, run] of rows) {
  run(COUNT / 4);
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.cpuUsage();
    run(COUNT);
    const { user, system } = process.cpuUsage(start);
    times.push(((user + system) * 1000) / COUNT);
  }
  times.sort((a, b) => a - b);
  const ns = times[ROUNDS >> 1];
  if (name === 'read/empty-handler') floor = ns;
  const over = name.startsWith('read/') && floor > 0 ? `  +${(ns - floor).toFixed(1)}` : '';
  console.log(`${name.padEnd(28)} ${ns.toFixed(1).padStart(8)} ns${over}`);
}
