import { MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { type AddressSpace, MemoryCore } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { EventCounts, InterruptLine, PciBus, PciEdu, PciEvent, VirtualClock } from '../src/index.ts';
import { pcBoard } from './support/pc-board.ts';

/** An edu card in slot 4 of a bus, RAM below, its own registers mapped at `BAR` and bus mastering on. */
function board() {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const memory = core.container('pci', 1n << 64n);
  system.addSubregion(0, memory, -1);
  system.addSubregion(0, core.ram('ram', sparseBacking(0x10_0000)));
  const space = core.addressSpace(system, 'memory');
  const pins = ['A', 'B', 'C', 'D'].map((name) => new InterruptLine(`INT${name}`));
  const clock = new VirtualClock();
  const events = new EventCounts();
  const card = new PciEdu({ bus: { core, memory, system, events }, pins, clock });
  const bus = new PciBus();
  bus.attach(4 << 3, card.function);
  const config = (offset: number, value?: number): number => {
    bus.addressOps.write!(0, 0x8000_2000 + (offset & 0xfc), 4);
    if (value !== undefined) bus.dataOps.write!(offset & 3, value, 4);
    return bus.dataOps.read!(offset & 3, 4);
  };
  config(0x10, BAR);
  config(0x04, 6);
  const bytes = (from: AddressSpace, addr: number, length = 4): number[] => {
    const buffer = new Uint8Array(length);
    from.txRead(addr, buffer, MEMTXATTRS_UNSPECIFIED, 'continue', new MemTx());
    return [...buffer];
  };
  return { core, space, bus, card, pins, clock, events, config, bytes, word: (addr: number) => bytes(space, addr) };
}

const BAR = 0xe000_0000;
const ID = [0xed, 0, 0, 1];
const NOTHING = [0, 0, 0, 0];

describe('configuration space', () => {
  it('E-60: identity, class, subsystem, pin, capability', () => {
    const { config } = board();
    expect([0x00, 0x08, 0x2c, 0x34, 0x3c].map((offset) => config(offset))).toEqual([
      0x11e8_1234, 0x00ff_0010, 0x1100_1af4, 0x40, 0x100,
    ]);
  });

  it('E-60: sizing reads 0xfff00000, the low bits cannot be set', () => {
    const { config } = board();
    expect(config(0x10, 0xffff_ffff)).toBe(0xfff0_0000);
    expect(config(0x10, 0xe001_2345)).toBe(0xe000_0000);
  });

  it('is reached only with the top bit of the address set, and reads ones where nothing is', () => {
    const { bus } = board();
    bus.addressOps.write!(0, 0x0000_2000, 4);
    expect(bus.dataOps.read!(0, 4)).toBe(0xffff_ffff);
    bus.addressOps.write!(0, 0x8000_1000, 4);
    expect(bus.dataOps.read!(0, 2)).toBe(0xffff);
    bus.addressOps.write!(0, 0x44, 1);
    expect(bus.address).toBe(0x8000_1000);
  });

  it.each([
    [0, 0x11e8_1234, 0xe812, 0xff11_e812],
    [1, 0x11_e812, 0x1112, 0xff00_1112],
    [2, 0x11e8, 0xe811, 0xff11_e811],
    [3, 0x1000_0011, 0x1111, 0xff00_1111],
  ])(
    'PCI 3.0, 3.2.2.3.2: bits 1..0 of the address word (%i) are or-ed with those of the port, as in QEMU 7.2',
    (low, l, w, d) => {
      const { say } = pcBoard('q35', '-device', 'edu,addr=4');
      const replies = say(`outl 0xcf8 ${0x8000_2000 + low}`, 'inl 0xcfc', 'inw 0xcfd', 'inl 0xcfd');
      expect(replies).toEqual([l, w, d].map((value) => `OK 0x${value.toString(16).padStart(4, '0')}`));
    },
  );

  it('PCI 3.0, 3.2.2.3.2: a write lands where the same read would look', () => {
    const { say } = pcBoard('q35', '-device', 'edu,addr=4');
    const [at, from] = ['outl 0xcf8 0x80002041', 'outl 0xcf8 0x80002040'];
    expect(say(at, 'outw 0xcfc 0x8107', 'outw 0xcfd 0x81', from, 'inl 0xcfc')).toEqual(['OK 0x810005']);
  });

  it('a place on the bus is taken once', () => {
    const { bus, card } = board();
    expect(() => bus.attach(4 << 3, card.function)).toThrow(new RangeError('PCI device 4 function 0 is already there'));
    expect([bus.has(4 << 3), bus.has(5 << 3)]).toEqual([true, false]);
  });

  it('PCI 3.0, 6.1: there is nothing behind byte 255', () => {
    const { say } = pcBoard('q35', '-device', 'edu,addr=4');
    const replies = say('outl 0xcf8 0x800020ff', 'outl 0xcfc 0x12345678', 'inl 0xcfc', 'inb 0xcfd');
    expect(replies).toEqual(['OK 0x0078', 'OK 0x0078']);
  });

  it('D13: peek of the data register reads the addressed function', () => {
    const { bus, config } = board();
    config(0);
    expect(bus.dataOps.peek!(2, 2)).toBe(0x11e8);
  });
});

describe('a card on the map', () => {
  it('E-62: its registers are where the base address says, while memory space is on', () => {
    const { config, word } = board();
    expect(word(BAR)).toEqual(ID);
    config(0x10, BAR + 0x10_0000);
    expect([word(BAR), word(BAR + 0x10_0000)]).toEqual([NOTHING, ID]);
    config(0x04, 4);
    expect(word(BAR + 0x10_0000)).toEqual(NOTHING);
  });

  it.each([0, 0xfff0_0000])('a base address of 0x%s is not decoded', (address) => {
    const { config, core } = board();
    config(0x10, address);
    expect(core.addressSpaces[0]!.view.ranges.map(({ region }) => region.name)).not.toContain('edu-mmio');
  });

  it('E-63: the bus-master space is empty until bus mastering is on', () => {
    const { card, config, bytes, space } = board();
    space.txWrite(0x1000, Uint8Array.of(1, 2, 3, 4), MEMTXATTRS_UNSPECIFIED, 'stop', new MemTx());
    expect(bytes(card.function.dma, 0x1000)).toEqual([1, 2, 3, 4]);
    config(0x04, 2);
    expect(bytes(card.function.dma, 0x1000)).toEqual(NOTHING);
  });

  it('E-64: the disable bit holds the pin low, the status bit shows the device', () => {
    const { card, config, pins } = board();
    card.device.ops.write!(0x60, 1, 4);
    expect([pins[0]!.level, config(4) >>> 16]).toEqual([1, 0x18]);
    config(4, 0x406);
    expect([pins[0]!.level, config(4) >>> 16]).toEqual([0, 0x18]);
    config(4, 6);
    expect(pins[0]!.level).toBe(1);
  });

  it('E-64: of what the device does while the pin is held low, the end counts when it is let go', () => {
    const { card, config, pins } = board();
    config(4, 0x406);
    card.device.ops.write!(0x60, 1, 4);
    expect([pins[0]!.level, config(4) >>> 16]).toEqual([0, 0x18]);
    config(4, 6);
    expect(pins[0]!.level).toBe(1);
    config(4, 0x406);
    card.device.ops.write!(0x64, 1, 4);
    config(4, 6);
    expect([pins[0]!.level, config(4) >>> 16]).toEqual([0, 0x10]);
  });

  it('a change of the disable bit drives all four pins again, to the level they have', () => {
    const { config, pins } = board();
    const driven: number[] = [];
    for (const [i, pin] of pins.entries()) pin.connect(() => driven.push(i));
    config(4, 0x406);
    expect(driven).toEqual([0, 1, 2, 3]);
  });

  it('E-65, E-24: a message is the 16 bits of data, zero-extended; switching MSI on lowers the pin', () => {
    const { card, config, pins, word } = board();
    card.device.ops.write!(0x60, 1, 4);
    config(0x44, 0x1_0013);
    expect(config(0x44)).toBe(0x1_0010);
    config(0x4c, 0x1234_abcd);
    config(0x44, 0x1010);
    config(0x40, 0x0081_0005);
    expect(pins[0]!.level).toBe(0);
    card.device.ops.write!(0x60, 0, 4);
    expect([word(0x1010), pins[0]!.level]).toEqual([[0xcd, 0xab, 0, 0], 0]);
  });

  it('E-61, E-65: the address of a message has 64 bits', () => {
    const { core, space, card, config, bytes } = board();
    const system = space.root;
    system.addSubregion(0x3_0000_0000, core.ram('high', 0x1000));
    config(0x44, 0x20);
    config(0x48, 3);
    config(0x4c, 0x1234);
    config(0x40, 0x0081_0005);
    card.device.ops.write!(0x60, 1, 4);
    expect([bytes(space, 0x3_0000_0020), bytes(space, 0x20)]).toEqual([[0x34, 0x12, 0, 0], NOTHING]);
  });

  it.each([
    ['RAM is stored', 6, 0],
    ['RAM without bus mastering is lost, and counted', 2, 1],
  ])('E-63, E-65: a message to %s', (_, command, lost) => {
    const { card, config, events } = board();
    config(0x04, command);
    config(0x44, 0x1010);
    config(0x40, 0x0081_0005);
    card.device.ops.write!(0x60, 1, 4);
    expect(events.get(PciEvent.MESSAGE_FAILED)).toBe(lost);
  });

  it('E-61: the number of messages that software allows is kept while MSI is off, and 1 while it is on', () => {
    const { config } = board();
    expect([0x00ff_0000, 0x0070_0000, 0x0020_0000, 0x0031_0000].map((value) => config(0x40, value) >>> 16)).toEqual([
      0x81, 0xf0, 0xa0, 0x81,
    ]);
  });

  it('E-67: a reset switches MSI off, with address and data 0: the next interrupt is the pin', () => {
    const { card, config, pins } = board();
    config(0x44, 0x1010);
    config(0x48, 3);
    config(0x4c, 0xabcd);
    config(0x40, 0x0081_0005);
    card.reset();
    expect([0x40, 0x44, 0x48, 0x4c].map((offset) => config(offset))).toEqual([0x0080_0005, 0, 0, 0]);
    card.device.ops.write!(0x60, 1, 4);
    expect(pins[0]!.level).toBe(1);
  });

  it('E-67: a reset takes the PCI side back and leaves the device; a transfer on its way arrives', () => {
    const { card, clock, config, pins, space, word } = board();
    const { ops } = card.device;
    ops.write!(0x60, 0x30, 4);
    space.txWrite(0x1000, Uint8Array.of(5, 6, 7, 8), MEMTXATTRS_UNSPECIFIED, 'stop', new MemTx());
    for (const [offset, value] of [
      [0x80, 0x1000n],
      [0x88, 0x4_0000n],
      [0x90, 4n],
      [0x98, 1n],
    ] as const)
      ops.write64!(offset, value);
    config(0x0c, 0x10);
    config(0x3c, 0x0b);
    expect([config(0x0c), config(0x3c)]).toEqual([0x10, 0x10b]);
    card.reset();
    expect([config(0x0c), config(0x3c)]).toEqual([0, 0x100]);
    expect([pins[0]!.level, config(0x10), config(4), word(BAR)]).toEqual([0, 0, 0x10_0000, NOTHING]);
    expect(ops.read!(0x24, 4)).toBe(0x30);
    clock.advanceBy(100_000_000);
    expect(card.device.state().buffer.slice(0, 8)).toBe('05060708');
  });
});
