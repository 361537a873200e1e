/**
 * A PCI bus and the two words by which a host bridge lets its processor reach configuration space: an address and a data
 * register (PCI 3.0, 3.2.2.3.2, "configuration mechanism #1"). Where the words are mapped is the board's business.
 */
import type { MemoryRegionOps } from '@guestmem/qemu-memory';

/** What sits at one device and function number. */
export interface PciTarget {
  /** 1, 2 or 4 bytes at 0 to 255, little-endian. */
  readConfig(offset: number, size: number): number;
  writeConfig(offset: number, size: number, value: number): void;
}

/** Bus 0 with its configuration mechanism. */
export class PciBus {
  readonly #targets = new Map<number, PciTarget>();
  #address = 0;

  /** @param devfn device << 3 | function, 0 to 255. @throws {RangeError} taken. */
  attach(devfn: number, target: PciTarget): void {
    if (this.#targets.has(devfn))
      throw new RangeError(`PCI device ${devfn >> 3} function ${devfn & 7} is already there`);
    this.#targets.set(devfn, target);
  }

  /** Is there a function at `devfn`? */
  has(devfn: number): boolean {
    return this.#targets.has(devfn);
  }

  /** The address word as written. A reset does not clear it (seen in QEMU). */
  get address(): number {
    return this.#address;
  }
  set address(value: number) {
    this.#address = value >>> 0;
  }

  /** The address register: only a whole word at offset 0 writes it (`ram/07`); any read gives its low bytes (seen). */
  readonly addressOps: MemoryRegionOps = {
    endianness: 'little',
    read: (_, size) => (this.#address & ones(size)) >>> 0,
    write: (offset, value, size) => {
      if (offset === 0 && size === 4) this.#address = value;
    },
    peek: (_, size) => (this.#address & ones(size)) >>> 0,
  };

  /** The data register: 4 bytes of the addressed function; ones where nothing is or the address's top bit is 0. */
  readonly dataOps: MemoryRegionOps = {
    endianness: 'little',
    read: (offset, size) => this.#target()?.readConfig((this.#address & 0xfc) | (offset & 3), size) ?? ones(size),
    write: (offset, value, size) => this.#target()?.writeConfig((this.#address & 0xfc) | (offset & 3), size, value),
    peek: (offset, size) => this.#target()?.readConfig((this.#address & 0xfc) | (offset & 3), size) ?? ones(size),
  };

  #target(): PciTarget | undefined {
    if ((this.#address & 0x8000_0000) === 0 || (this.#address & 0x00ff_0000) !== 0) return undefined;
    return this.#targets.get((this.#address >>> 8) & 0xff);
  }
}

function ones(size: number): number {
  return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
}
