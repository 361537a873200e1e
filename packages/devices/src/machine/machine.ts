/**
 * A running machine: a tree of regions with devices on it, a clock, interrupt lines, a main loop that is turned from
 * outside. Made of a definition and a configuration; it is what the qtest server serves.
 */
import {
  type AddressSpace,
  type BuiltMap,
  buildMap,
  type MapRegion,
  type MemoryCore,
  type MemoryRegion,
  type MemoryRegionOps,
} from '@guestmem/qemu-memory';
import type { Backing } from '@guestmem/vm-memory';
import type { BoardContext } from '../board/context.ts';
import { I440fx } from '../board/i440fx.ts';
import { PirqRouter } from '../board/ich9-lpc.ts';
import { DEVICE_MODELS } from '../board/models.ts';
import { notModelled } from '../board/plain.ts';
import { PlainFunction } from '../board/plain-function.ts';
import { Q35Mch } from '../board/q35-mch.ts';
import { VirtualClock } from '../clock/virtual-clock.ts';
import { PciEdu } from '../edu/pci-edu.ts';
import { EventCounts } from '../events.ts';
import { InterruptLine, type InterruptSink } from '../irq/interrupt-line.ts';
import { PciBus } from '../pci/pci-bus.ts';
import { PinWire } from '../pci/pin-wire.ts';
import type { QtestDevice } from '../qtest/machine.ts';
import type { ReplayMachine } from '../qtest/replay.ts';
import type { CardConfig, MachineConfig } from './config.ts';
import type { MachineDefinition, PciRule, PlacedFunction } from './definition.ts';
import { MachineError } from './error.ts';
import { fitMap } from './fit-map.ts';
import { LateMemory } from './late-memory.ts';

/** Timers that one turn of the loop runs, so that a guest cannot hold it (H-141). */
const TIMERS_PER_TURN = 100_000;

/** One machine. */
export class Machine implements ReplayMachine {
  readonly core: MemoryCore;
  /** What the first CPU sees. */
  readonly memory: AddressSpace;
  readonly ports: AddressSpace;
  readonly bigEndian: boolean;
  /** Virtual time. */
  readonly clock: VirtualClock;
  /** The host's time, for what goes on beside virtual time. Whoever runs the machine turns it. */
  readonly hostClock: VirtualClock = new VirtualClock();
  /** The board's interrupt lines. */
  readonly lines: readonly InterruptLine[];
  readonly devices: readonly QtestDevice[];
  /** Guest mistakes and accesses to what is not modelled, counted. */
  readonly events: EventCounts;
  readonly #resets: (() => void)[] = [];
  #resetPending = false;

  /**
   * Makes a machine as after power-on.
   *
   * @param firmware bytes of the file that `config.firmware` names.
   * @throws {MachineError} something that this machine does not have, or a definition that does not fit itself.
   */
  constructor(definition: MachineDefinition, config: MachineConfig, firmware: Uint8Array | null = null) {
    this.bigEndian = definition.order === 'big';
    this.clock = new VirtualClock();
    this.events = new EventCounts();
    this.lines = Array.from({ length: definition.lines ?? 0 }, (_, i) => new InterruptLine(`line ${i}`));
    const devices: QtestDevice[] = [];
    this.devices = devices;
    const system = new LateMemory();
    const pci = new PciBus();
    const laterResets: (() => void)[] = [];
    const context: BoardContext = {
      clock: this.clock,
      hostClock: this.hostClock,
      events: this.events,
      memory: system,
      lines: this.lines,
      pci,
      devices,
      resets: this.#resets,
      laterResets,
      requestReset: () => this.requestReset(),
      shared: sharing(),
      property: (name) => config.properties.get(name),
    };
    const built = buildTree(definition, config, firmware, context);
    this.core = built.core;
    this.memory = spaceOf(built, definition.cpu);
    this.ports = spaceOf(built, definition.ports);
    system.bind(this.memory);
    this.#resets.push(() => {
      for (const line of definition.resetLowers ?? []) this.lines[line]?.set(0);
    });
    this.#resets.push(...laterResets);
    if (definition.pci !== undefined) this.#plug(definition.pci, built, pci, config.cards, context);
    else if (config.cards.length > 0)
      throw new MachineError('not-modelled', `machine ${definition.name} has no PCI bus here that takes -device`);
  }

  /** Asks for a system reset at the next turn. */
  requestReset(): void {
    this.#resetPending = true;
  }

  turn(): void {
    this.clock.runDue(TIMERS_PER_TURN);
    this.hostClock.runDue(TIMERS_PER_TURN);
    if (!this.#resetPending) return;
    this.#resetPending = false;
    for (const reset of this.#resets) reset();
  }

  #plug(rule: PciRule, built: BuiltMap, pci: PciBus, cards: readonly CardConfig[], context: BoardContext): void {
    const system = regionOf(built, rule.system);
    let router: PirqRouter | null = null;
    const wires = new Map<number, PinWire>();
    /** New pins of a slot, on the wires of its lines. */
    const pinsOf = (devfn: number): InterruptSink[] =>
      linesOf(rule, devfn >> 3).map((line) => {
        const there = wires.get(line) ?? new PinWire(router?.input(line) ?? this.lines[line]!);
        wires.set(line, there);
        return there.input();
      });
    const parts = new Map<number, PlainFunction>();
    for (const placed of rule.functions) {
      const smram = built.regions.find(({ name, target }) => name === 'smram' && target === null);
      const part = functionOf(placed, system, smram);
      part.busMaster = busMasterOf(built, placed.name);
      if (placed.model === 'ich9-lpc') router = new PirqRouter(part.config, this.lines);
      pci.attach(placed.devfn, part);
      parts.set(placed.devfn, part);
      this.#resets.push(() => part.reset());
    }
    for (const [devfn, part] of parts) part.pins = pinsOf(devfn);
    const bus = { core: this.core, memory: regionOf(built, rule.memory), system, events: this.events };
    const plugged: { readonly devfn: number; readonly card: PciEdu }[] = [];
    for (const config of cards) {
      if (rule.lines.length === 0)
        throw new MachineError('not-modelled', `interrupts of PCI cards are not modelled on this machine; use -M q35`);
      const devfn = config.devfn ?? freeSlot(pci);
      const pins = pinsOf(devfn);
      const { clock, hostClock, events } = context;
      const mask = config.dmaMask === undefined ? {} : { dmaMask: config.dmaMask };
      const card = new PciEdu({ bus, pins, clock, hostClock, events, ...mask });
      checkPlace(rule, pci, devfn);
      pci.attach(devfn, card.function);
      plugged.push({ devfn, card });
    }
    // By slot and function, whatever the order of plugging (seen). Counts that left 0 and 1 are for all cards together, and go at the end.
    plugged.sort((a, b) => a.devfn - b.devfn);
    this.#resets.push(() => {
      for (const { card } of plugged) card.function.setInterrupt(false);
      PinWire.settle(wires.values(), () => {
        for (const { card } of plugged) card.reset();
      });
    });
  }
}

function buildTree(
  definition: MachineDefinition,
  config: MachineConfig,
  firmware: Uint8Array | null,
  context: BoardContext,
): BuiltMap {
  const map = fitMap(definition, {
    ramBytes: config.ramBytes ?? BigInt(definition.ram.default),
    ...(firmware !== null && { firmwareBytes: firmware.length }),
    without: config.without,
  });
  const built = buildMap(map, {
    targetOrder: definition.order,
    // A region that an option took out of the tree stays in the list; its device is not made.
    device: (region) => (config.without.has(region.name) ? undefined : deviceOf(definition, context, region)),
  });
  if (firmware !== null && definition.firmware !== undefined) {
    const bytes = definition.firmware.swapWords === true ? swapWords(firmware) : firmware;
    for (const name of definition.firmware.blocks) load(regionOf(built, name).ram!.backing, bytes);
  }
  for (const { block, offset, value } of definition.romWords ?? []) {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, Number(value), definition.order === 'little');
    load(regionOf(built, block).ram!.backing, word, offset);
  }
  return built;
}

function deviceOf(
  definition: MachineDefinition,
  context: BoardContext,
  region: MapRegion,
): MemoryRegionOps | undefined {
  if (region.kind !== 'io' && region.kind !== 'rom-device') return undefined;
  const placed = definition.devices[region.name];
  if (placed === undefined) return notModelled(region, context.events);
  const model = DEVICE_MODELS[placed.model];
  if (model === undefined)
    throw new MachineError('bad-definition', `there is no device model "${placed.model}" for region "${region.name}"`);
  return model(context, placed, region);
}

function sharing(): BoardContext['shared'] {
  const objects = new Map<string, object>();
  return <T extends object>(name: string, make: () => T): T => {
    const object = (objects.get(name) as T | undefined) ?? make();
    objects.set(name, object);
    return object;
  };
}

function regionOf(built: BuiltMap, name: string): MemoryRegion {
  const region = built.regions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new MachineError('bad-definition', `the map has no region "${name}"`);
  return region;
}

function spaceOf(built: BuiltMap, name: string): AddressSpace {
  const space = built.spaces.find((candidate) => candidate.name === name);
  if (space === undefined) throw new MachineError('bad-definition', `the map has no address space "${name}"`);
  return space;
}

/** Host-side loading, from `offset` on: ROM and all. */
function load(backing: Backing, bytes: Uint8Array, offset = 0): void {
  for (let at = 0; at < bytes.length; ) {
    const segment = backing.segmentAt(offset + at);
    const from = offset + at - segment.start;
    const size = Math.min(bytes.length - at, segment.bytes.length - from);
    segment.bytes.set(bytes.subarray(at, at + size), from);
    at += size;
  }
}

function swapWords(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array((bytes.length + 3) & ~3);
  for (let i = 0; i < out.length; i++) out[i] = bytes[i ^ 3] ?? 0;
  return out;
}

/** The function, with the registers that its model knows. */
function functionOf(placed: PlacedFunction, system: MemoryRegion, smram: MemoryRegion | undefined): PlainFunction {
  if (placed.model === 'q35-mch') return new Q35Mch(placed, system, smram).function;
  if (placed.model === 'i440fx') return new I440fx(placed, system, smram).function;
  return new PlainFunction(placed);
}

/** The alias by which the address space of a board function shows the system; undefined where the map has none. */
function busMasterOf(built: BuiltMap, name: string): MemoryRegion | undefined {
  const root = built.spaces.find((space) => space.name === name)?.root;
  return root?.children.find((child) => child.name === 'bus master');
}

/** Lines of INTA to INTD of a slot. */
function linesOf({ lines, slotLines }: PciRule, slot: number): readonly number[] {
  return slotLines?.[slot] ?? lines.map((_, pin) => lines[(slot + pin) % lines.length]!);
}

/** A card has one function: beside another function of its slot it is refused, unless function 0 is the board's and says that there are more. */
function checkPlace({ functions }: PciRule, pci: PciBus, devfn: number): void {
  const first = devfn & ~7;
  if (pci.has(devfn)) throw new MachineError('bad-argument', `PCI slot ${devfn >> 3} is taken`);
  const board = functions.find((placed) => placed.devfn === first);
  if (
    board !== undefined &&
    (Number.parseInt(board.config.slice(2 * HEADER_TYPE, 2 * HEADER_TYPE + 2), 16) & MULTI) !== 0
  )
    return;
  for (let other = first; other < first + 8; other++)
    if (pci.has(other) && (devfn === first || other === first))
      throw new MachineError(
        'bad-argument',
        `PCI slot ${devfn >> 3} has function ${other & 7} already, and a card with one function goes in no slot with it`,
      );
}

const HEADER_TYPE = 0x0e;
const MULTI = 0x80;

function freeSlot(pci: PciBus): number {
  for (let slot = 1; slot < 32; slot++) if (!pci.has(slot << 3)) return slot << 3;
  throw new MachineError('bad-argument', 'no PCI slot is free');
}
