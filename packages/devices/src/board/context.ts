/** What the parts of a board share while a machine is being made, and what they leave behind in it. */
import type { TxMemory } from '@guestmem/memtx';
import type { MapRegion, MemoryRegionOps } from '@guestmem/qemu-memory';
import type { VirtualClock } from '../clock/virtual-clock.ts';
import type { DeviceEvents } from '../events.ts';
import type { InterruptLine } from '../irq/interrupt-line.ts';
import type { PlacedDevice } from '../machine/definition.ts';
import type { PciBus } from '../pci/pci-bus.ts';
import type { QtestDevice } from '../qtest/machine.ts';

/** One machine while its devices are made. */
export interface BoardContext {
  readonly clock: VirtualClock;
  readonly hostClock: VirtualClock;
  readonly events: DeviceEvents;
  /** The system address space, usable once the machine is built. */
  readonly memory: TxMemory;
  readonly lines: readonly InterruptLine[];
  readonly pci: PciBus;
  /** Devices with a path, for interceptions. */
  readonly devices: QtestDevice[];
  /** Run at a system reset, in this order. */
  readonly resets: (() => void)[];
  /** Run after those, and after the board's devices without a model lowered their lines. */
  readonly laterResets: (() => void)[];
  /** Asks for a system reset at the next turn. */
  requestReset(): void;
  /** One object of the board that several regions lead to: made at the first call. */
  shared<T extends object>(name: string, make: () => T): T;
  /** A property given by `-global`, as text; undefined where none was. */
  property(name: string): string | undefined;
}

/** Makes the device behind one region. */
export type DeviceModel = (context: BoardContext, placed: PlacedDevice, region: MapRegion) => MemoryRegionOps;
