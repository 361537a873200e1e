import { addBusMasters, addCpuSpaces, addIommuSpaces, pcMachine } from './machines.mjs';

function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
function toggle(machine, commits, rounds = 9) {
  const { bars } = machine;
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
  samples.sort((a, b) => a - b);
  return samples[samples.length >> 1];
}
function line(name, value) {
  console.log(`${name.padEnd(44)} ${value}`);
}
console.log(`Node ${process.version}`);
pcMachine(64);
toggle(pcMachine(256), 4e3, 3);
const growth = [];
for (const devices of [64, 256, 512, 1024, 2e3, 4096, 8192]) {
  const machine = pcMachine(devices);
  const us = toggle(machine, 2e3);
  growth.push([devices, us]);
  line(`toggle/${machine.memory.view.length}-ranges`, `${us.toFixed(1)} us`);
}
const at = (devices) => growth.find(([n]) => n === devices)[1];
line('growth 512 -> 8192 devices', `${(at(8192) / at(512)).toFixed(2)}x`);
for (const devices of [1e5]) {
  const start = cpu();
  const machine = pcMachine(devices);
  line(`build/${machine.memory.view.length}-ranges`, `${((cpu() - start) / 1e3).toFixed(0)} ms`);
  line(`toggle/${machine.memory.view.length}-ranges`, `${toggle(machine, 500).toFixed(1)} us`);
}
const base = pcMachine(2e3);
const one = toggle(base, 2e3);
line('toggle/2009-ranges, one view', `${one.toFixed(1)} us`);
for (const [name, add] of [
  ['200 IOMMU views beside', (m) => addIommuSpaces(m, 200)],
  ['64 equal per-vCPU views', (m) => addCpuSpaces(m, 64)],
  ['2000 bus masters, off', (m) => addBusMasters(m, 2e3, 0)],
  ['2000 bus masters, 100 on', (m) => addBusMasters(m, 2e3, 100)],
]) {
  const machine = pcMachine(2e3);
  add(machine);
  const us = toggle(machine, 2e3);
  line(`toggle/2009-ranges, ${name}`, `${us.toFixed(1)} us, ${(us / toggle(base, 2e3)).toFixed(2)}x`);
}
