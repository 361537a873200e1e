/** A PCI function of which only the configuration space and the bus-master switch are modelled: bytes and masks, as captured. */
import type { MemoryRegion } from '@guestmem/qemu-memory';
import type { InterruptSink } from '../irq/interrupt-line.ts';
import type { PlacedFunction } from '../machine/definition.ts';
import {
  COMMAND,
  COMMAND_INTX_DISABLE,
  COMMAND_MASTER,
  CONFIG_SIZE,
  ConfigSpace,
  writesCommand,
} from '../pci/config-space.ts';
import type { PciTarget } from '../pci/pci-bus.ts';

/** One function. A subclass or listener sees every write through `written`. */
export class PlainFunction implements PciTarget {
  readonly config: ConfigSpace = new ConfigSpace();
  /** The alias that shows it the system while bus mastering is on. As for a card, a reset leaves it to the next write. */
  busMaster: MemoryRegion | undefined;
  /** Where the four pins of its slot lead. It never raises one, but drives all of them low at a change of its disable bit, as a card does (seen). */
  pins: readonly InterruptSink[] = [];
  readonly #placed: PlacedFunction;
  readonly #written: () => void;

  /** @param written called after each write that changed something, and after a reset. */
  constructor(placed: PlacedFunction, written: () => void = () => {}) {
    this.#placed = placed;
    this.#written = written;
    for (let i = 0; i < CONFIG_SIZE; i++)
      this.config.define(i, 1, byteAt(placed.config, i), byteAt(placed.writable, i));
  }

  readConfig(offset: number, size: number): number {
    return this.config.get(offset, size);
  }

  writeConfig(offset: number, size: number, value: number): void {
    const command = this.config.get(COMMAND, 2);
    if (this.config.write(offset, size, value)) this.#written();
    if (!writesCommand(offset, size)) return;
    this.busMaster?.setEnabled((this.config.get(COMMAND, 1) & COMMAND_MASTER) !== 0);
    if (((this.config.get(COMMAND, 2) ^ command) & COMMAND_INTX_DISABLE) !== 0) for (const pin of this.pins) pin.set(0);
  }

  /** A system reset: what is not kept is as at power-on. */
  reset(): void {
    const { config, kept } = this.#placed;
    for (let i = 0; i < CONFIG_SIZE; i++) {
      const mask = kept === undefined ? 0 : byteAt(kept, i);
      this.config.set(i, 1, (this.config.get(i, 1) & mask) | (byteAt(config, i) & ~mask));
    }
    this.#written();
  }
}

function byteAt(hex: string, i: number): number {
  return Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
}
