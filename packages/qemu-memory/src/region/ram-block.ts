/** The memory of a RAM, ROM or ROM device region. One block may stand behind many regions and machines. D7. */
import type { Backing } from '@guestmem/vm-memory';

/** RAM: a backing and what is tracked about it. */
export class RamBlock {
  readonly name: string;
  readonly backing: Backing;
  /** Bytes, 1 to 2^53 - 1. */
  readonly length: number;

  constructor(name: string, backing: Backing) {
    this.name = name;
    this.backing = backing;
    this.length = backing.length;
  }
}
