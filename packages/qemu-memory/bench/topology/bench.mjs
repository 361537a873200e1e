/**
 * What a change of the map costs, how it grows, and what a view holds. After a build:
 * `node -C dist --expose-gc bench/topology/bench.mjs [--qemu]`. A toggle is one commit: the BAR of a device in the middle is
 * removed, or added again. CPU time of the process, medians of rounds; --qemu measures the installed one beside it.
 */
import { argv, cpuUsage, memoryUsage, version } from 'node:process';
import { le32 } from '@guestmem/memtx';
import { addBusMasters, addCpuSpaces, addIommuSpaces, BANK, bankMachine, pcMachine } from './machines.mjs';
import { qemuToggle, qemuVersion } from './qemu.mjs';

/** CPU microseconds of this process. */
function cpu() {
  const { user, system } = cpuUsage();
  return user + system;
}

/** Microseconds of one commit. */
function toggle({ bars }, commits = 2000, rounds = 9) {
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const start = cpu();
    for (let i = 0; i < commits / 2; i++) {
      const { bar, bus, addr } = bars[(bars.length >> 1) + (i % 7)];
      bus.delSubregion(bar);
      bus.addSubregion(addr, bar, 1);
    }
    samples.push((cpu() - start) / commits);
  }
  return samples.sort((a, b) => a - b)[samples.length >> 1];
}

/** Microseconds of a bank switch in a small machine: a region over another on or off, and a load there. */
function bankSwitch({ bank, space }, switches = 5000, rounds = 9) {
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const start = cpu();
    for (let i = 0; i < switches; i++) {
      bank.setEnabled((i & 1) === 0);
      space.load(BANK, le32);
    }
    samples.push((cpu() - start) / switches);
  }
  return samples.sort((a, b) => a - b)[samples.length >> 1];
}

/** Bytes in use, after the garbage is gone. */
async function held() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}

function row(name, value) {
  console.log(`${name.padEnd(46)} ${value}`);
}

console.log(`Node ${version}`);
toggle(pcMachine(256), 4000, 3); // Warm up.

const growth = new Map();
for (const devices of [64, 512, 2000, 8192]) {
  const machine = pcMachine(devices);
  growth.set(devices, toggle(machine));
  row(`toggle/${machine.memory.view.length}-ranges`, `${growth.get(devices).toFixed(1)} us`);
}
row('bank switch and a load, 3 regions', `${bankSwitch(bankMachine()).toFixed(1)} us`);
row('toggle, growth from 512 to 8192 devices', `${(growth.get(8192) / growth.get(512)).toFixed(2)}x`);

{
  const start = cpu();
  const machine = pcMachine(100_000);
  row(`build/${machine.memory.view.length}-ranges`, `${((cpu() - start) / 1000).toFixed(0)} ms`);
  row(`toggle/${machine.memory.view.length}-ranges`, `${toggle(machine, 500).toFixed(1)} us`);
  // A second view of other content (an IOMMU more) shares nothing with the first one.
  const { core, system } = machine;
  const other = core.container('other', 1n << 64n);
  other.addSubregion(0, core.alias('system', system, 0, 1n << 64n));
  other.addSubregion(1n << 63n, core.reservation('more', 0x1000));
  const before = await held();
  const space = core.addressSpace(other, 'other');
  if (globalThis.gc !== undefined) {
    const bytes = (await held()) - before;
    row(`memory/${space.view.length}-ranges`, `${(bytes / space.view.length).toFixed(1)} bytes a range`);
  }
}

for (const [name, add] of [
  ['200 views behind IOMMUs', (m) => addIommuSpaces(m, 200)],
  ['64 equal per-vCPU views', (m) => addCpuSpaces(m, 64)],
  ['2000 bus masters, off', (m) => addBusMasters(m, 2000, 0)],
  ['2000 bus masters, on', (m) => addBusMasters(m, 2000, 2000)],
]) {
  const one = pcMachine(2000);
  const machine = pcMachine(2000);
  add(machine);
  const pairs = [];
  for (let i = 0; i < 5; i++) pairs.push([toggle(one, 1000, 3), toggle(machine, 1000, 3)]);
  const [alone, all] = pairs.sort((a, b) => a[1] / a[0] - b[1] / b[0])[2];
  row(`toggle/2000-devices, ${name}`, `${all.toFixed(1)} us, ${(all / alone).toFixed(2)}x of one view`);
}

if (argv.includes('--qemu') && qemuVersion() !== null) {
  console.log(qemuVersion());
  for (const devices of [64, 512, 2000])
    row(`QEMU, toggle/${devices}-devices`, `${(await qemuToggle(devices)).toFixed(0)} us`);
}
