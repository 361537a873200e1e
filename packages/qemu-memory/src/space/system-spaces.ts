/**
 * The two address spaces that every machine has: memory and I/O ports. Made when first asked for, memory before I/O; a
 * program that builds its own roots never has them. D6.
 */
import type { MemoryRegion } from '../region/memory-region.ts';
import { SPACE_SIZE } from '../view/big.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryCore } from './memory-core.ts';

interface Made {
  readonly memory: AddressSpace;
  readonly io: AddressSpace;
}

/** `core.system`. */
export class SystemSpaces {
  readonly #core: MemoryCore;
  #made: Made | null = null;

  /** @hideconstructor */
  constructor(core: MemoryCore) {
    this.#core = core;
  }

  /** The space `memory`, over the container `system` of 2^64 bytes: what QEMU calls `address_space_memory`. */
  get memory(): AddressSpace {
    return this.#spaces().memory;
  }
  /** The space `I/O`, over the region `io` of 64 KiB, which reads as ones and ignores writes where no port is mapped. */
  get io(): AddressSpace {
    return this.#spaces().io;
  }
  /** Where a board maps its memory. */
  get memoryRegion(): MemoryRegion {
    return this.memory.root;
  }
  /** Where a board maps its ports. */
  get ioRegion(): MemoryRegion {
    return this.io.root;
  }

  #spaces(): Made {
    if (this.#made === null) {
      const core = this.#core;
      const ports = core.io('io', 0x1_0000, {
        endianness: 'little',
        read: (_offset, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
        write: () => {},
      });
      const memory = core.addressSpace(core.container('system', SPACE_SIZE), 'memory');
      this.#made = { memory, io: core.addressSpace(ports, 'I/O') };
    }
    return this.#made;
  }
}
