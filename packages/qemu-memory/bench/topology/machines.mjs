import { MemoryCore } from '@guestmem/qemu-memory';
import { bufferBacking, sparseBacking } from '@guestmem/vm-memory';

const SPACE = 1n << 64n;
const OPS = { read: () => 0, write() {} };
const BAR = 0x1000n;
const PER_BRIDGE = 32;
const PCI_HOLE = 0x100000000n;
function pcMachine(devices) {
  const core = new MemoryCore();
  const system = core.container('system', SPACE);
  const pci = core.container('pci', SPACE);
  const ram = core.ram('pc.ram', sparseBacking(2147483648));
  const memory = core.addressSpace(system, 'memory');
  const bars = [];
  core.transaction(() => {
    system.addSubregion(0, core.alias('ram-below-4g', ram, 0, 2147483648));
    system.addSubregion(0, pci, -1);
    system.addSubregion(655360, core.alias('smram-region', pci, 655360, 131072), 1);
    system.addSubregion(4273995776, core.io('ioapic', 4096, OPS));
    system.addSubregion(4275044352, core.io('hpet', 1024, OPS));
    system.addSubregion(4276092928, core.io('apic-msi', 1048576, OPS), 4096);
    for (let first = 0; first < devices; first += PER_BRIDGE) {
      const count = Math.min(PER_BRIDGE, devices - first);
      const bus = core.container('pci_bridge_pci', SPACE);
      const at = PCI_HOLE + BigInt(first) * BAR;
      pci.addSubregion(at, core.alias('pci_bridge_mem', bus, at, BigInt(count) * BAR), 1);
      for (let i = 0; i < count; i++) {
        const addr = at + BigInt(i) * BAR;
        const bar = core.io(`bar${first + i}`, BAR, OPS);
        bus.addSubregion(addr, bar, 1);
        bars.push({ bar, bus, addr });
      }
    }
  });
  return { core, system, memory, bars };
}
/** Where the bank is. */
const BANK = 0x8000;
/** A home computer's map: RAM, ROM over a part of it, and a bank over both that comes and goes. */
function bankMachine() {
  const core = new MemoryCore();
  const system = core.container('system', 0x10000);
  system.addSubregion(0, core.ram('ram', bufferBacking(0x10000)));
  system.addSubregion(BANK, core.rom('rom', bufferBacking(0x4000)), 1);
  const bank = core.ram('bank', bufferBacking(0x4000));
  system.addSubregion(BANK, bank, 2);
  return { bank, space: core.addressSpace(system, 'cpu') };
}
function addCpuSpaces(machine, cpus) {
  const { core, system } = machine;
  const smram = core.container('smram', SPACE);
  const low = core.alias('smram-low', system, 655360, 131072);
  low.setEnabled(false);
  smram.addSubregion(655360, low);
  const spaces = [];
  for (let i = 0; i < cpus; i++) {
    const root = core.container('memory', SPACE);
    root.addSubregion(0, core.alias('memory', system, 0, SPACE));
    root.addSubregion(0, core.alias('smram', smram, 0, SPACE), 1);
    spaces.push(core.addressSpace(root, `cpu-smm-${i}`));
  }
  return spaces;
}
function addIommuSpaces(machine, count) {
  const { core } = machine;
  const spaces = [];
  for (let i = 0; i < count; i++) {
    const root = core.container('vtd-root', SPACE);
    const dmar = core.iommu('vtd-dmar', SPACE, {
      translate: () => ({ target: machine.memory, iova: 0, translated: 0, mask: 4095, permission: 3 }),
    });
    root.addSubregion(0, dmar);
    root.addSubregion(4276092928, core.io('vtd-ir', 1048576, OPS), 1);
    spaces.push(core.addressSpace(root, 'vtd-root'));
  }
  return spaces;
}
function addBusMasters(machine, count, on) {
  const { core, system } = machine;
  const spaces = [];
  for (let i = 0; i < count; i++) {
    const root = core.container('bus master container', SPACE);
    const alias = core.alias('bus master', system, 0, SPACE);
    if (i >= on) alias.setEnabled(false);
    root.addSubregion(0, alias);
    spaces.push(core.addressSpace(root, `dev${i}`));
  }
  return spaces;
}

export { addBusMasters, addCpuSpaces, addIommuSpaces, BANK, bankMachine, pcMachine };
