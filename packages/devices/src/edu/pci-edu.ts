/** The edu device as a PCI card: identity, one base address register, INTA and MSI. E-60 to E-67. */
import type { Clock } from '../clock/clock.ts';
import type { DeviceEvents } from '../events.ts';
import type { InterruptSink } from '../irq/interrupt-line.ts';
import { type PciBusWiring, PciFunction, type PciFunctionState } from '../pci/pci-function.ts';
import { StateReader } from '../state-error.ts';
import { Edu, type EduOptions } from './edu.ts';
import { EDU_SIZE } from './registers.ts';
import { type EduState, readEduState } from './state.ts';

/** What the card is given. */
export interface PciEduOptions {
  /** What it is on; its DMA goes to the bus's memory. */
  readonly bus: PciBusWiring;
  /** Where INTA to INTD of its slot lead. The card uses INTA. */
  readonly pins: readonly InterruptSink[];
  /** Virtual time: the DMA engine's. */
  readonly clock: Clock;
  /** The host's time, on which the factorial takes a nanosecond a factor (E-32). Absent: it is done at once (E-34). */
  readonly hostClock?: Clock;
  /** Counts what the guest does wrong (`EduEvent`). Default nobody. */
  readonly events?: DeviceEvents;
  /** Bits of a DMA address that reach the bus, 64 bits (E-1). Default 0x0fffffff. */
  readonly dmaMask?: bigint;
  /** Name of its bus-master address space. Default `edu`. */
  readonly name?: string;
}

/** A saved card. */
export interface PciEduState {
  readonly version: 1;
  readonly device: EduState;
  readonly function: PciFunctionState;
}

/** One card: attach `card.function` to a bus. */
export class PciEdu {
  readonly device: Edu;
  readonly function: PciFunction;

  constructor(options: PciEduOptions) {
    const { bus } = options;
    this.function = new PciFunction(bus, options.name ?? 'edu', IDENTITY, options.pins);
    const wiring: EduOptions = {
      ...options,
      memory: this.function.dma,
      interrupt: { set: (level) => this.function.setInterrupt(level !== 0) },
      messages: this.function,
    };
    this.device = new Edu(wiring);
    const registers = bus.core.io('edu-mmio', EDU_SIZE, this.device.ops, { owner: this.device });
    this.function.addMemoryBar(0, registers);
    this.function.addMsi(0x40);
  }

  /** A system reset: the PCI side only (E-67). */
  reset(): void {
    this.function.reset();
  }

  state(): PciEduState {
    return { version: 1, device: this.device.state(), function: this.function.state() };
  }

  /** A card in the state `state`; its registers are mapped where they were. @throws {DeviceStateError} not a state of this card. */
  static fromState(state: unknown, options: PciEduOptions): PciEdu {
    const from = new StateReader('pci edu', state);
    from.version(1);
    const parts = state as PciEduState;
    const device = readEduState(parts.device);
    const card = new PciEdu(options);
    card.function.restore(parts.function);
    card.device.restore(device); // Last: a card that is refused must have no timer that goes off.
    return card;
  }
}

const IDENTITY = {
  vendorId: 0x1234,
  deviceId: 0x11e8,
  revisionId: 0x10,
  classCode: 0x00ff00,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
  interruptPin: 1,
} as const;
