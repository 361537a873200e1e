/** What owner and readers of the stress agree on: where things lie, and how a page of RAM says whose it is. */
import type { MessagePort } from 'node:worker_threads';
import type { AttachFaults, SharedSpaceHandle } from '@guestmem/qemu-memory';

/** Slots of 64 KiB from 0 on, into which the owner puts blocks; where none is, background RAM shows. */
export const SLOTS = 24;
export const SLOT_BYTES = 0x1_0000;
/** A RAM with a counter per reader and page, dirty-logged. */
export const COUNTERS = 0x1000_0000;
export const COUNTER_PAGES = 16;
/** A device that checks each reader's sequence. */
export const DEVICE = 0x2000_0000;
/** What reclaimed memory is filled with. */
export const POISON = 0xdddd_dddd;
const MAGIC = 0x6d65_6d21;

/** Kinds of violation, counted in shared memory. */
export const Bad = { POISON: 0, HEADER: 1, CHANGED: 2, DEVICE: 3, ERROR: 4, PINNED: 5 } as const;
export const BAD_NAMES = [
  'reclaimed memory was read',
  'a header does not fit',
  'one view showed two blocks at one address',
  'a device access was lost or done twice',
  'an access failed',
  'a pinned view changed',
] as const;

/** Words of a page's header. */
export function header(block: number, generation: number): readonly [number, number, number, number] {
  return [MAGIC, block, generation, check(block, generation)];
}

/** The checksum that belongs to a block and generation. */
export function check(block: number, generation: number): number {
  return (MAGIC ^ Math.imul(block + 1, 0x9e37_79b1) ^ Math.imul(generation + 1, 0x85eb_ca6b)) >>> 0;
}

/** What a reader is given. */
export interface ReaderData {
  readonly id: number;
  readonly handle: SharedSpaceHandle;
  readonly port: MessagePort;
  readonly flavour: 'barrier' | 'quiescent';
  /** Int32: stop, ready, violations by kind. */
  readonly control: SharedArrayBuffer;
  /** Float64: accesses of each reader. */
  readonly counts: SharedArrayBuffer;
  /** Undefined: the library as it is. */
  readonly faults: AttachFaults | undefined;
}

export const STOP = 0;
export const READY = 1;
export const FIRST_BAD = 2;
