/**
 * A PCI bus and the two words by which a host bridge lets its processor reach configuration space: an address and a data
 * register (PCI 3.0, 3.2.2.3.2, "configuration mechanism #1"). Where the words are mapped is the board's business.
 */
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import { CONFIG_SIZE } from './config-space.ts';

/** What sits at one device and function number. */
export interface PciTarget {
  /** 1 to 4 bytes at 0 to 255, little-endian; 3 only at the end, which no access goes beyond. */
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

  /**
   * The data register: bytes of the addressed function; ones where nothing is or the address's top bit is 0. PCI has bits 1..0 of the
   * address word read as 0; in QEMU they are kept, and or-ed with the port's own (seen). What would lie behind the last
   * byte reads 0 and is not written.
   */
  readonly dataOps: MemoryRegionOps = {
    endianness: 'little',
    read: (offset, size) => this.#read(offset, size),
    write: (offset, value, size) => {
      const at = this.#offset(offset);
      this.#target()?.writeConfig(at, inside(at, size), value);
    },
    peek: (offset, size) => this.#read(offset, size),
  };

  #read(offset: number, size: number): number {
    const at = this.#offset(offset);
    return this.#target()?.readConfig(at, inside(at, size)) ?? ones(size);
  }

  /** Of the port, in configuration space. */
  #offset(offset: number): number {
    return (this.#address & 0xff) | (offset & 3);
  }

  #target(): PciTarget | undefined {
    if ((this.#address & 0x8000_0000) === 0 || (this.#address & 0x00ff_0000) !== 0) return undefined;
    return this.#targets.get((this.#address >>> 8) & 0xff);
  }
}

function inside(at: number, size: number): number {
  return Math.min(size, CONFIG_SIZE - at);
}

function ones(size: number): number {
  return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
}
