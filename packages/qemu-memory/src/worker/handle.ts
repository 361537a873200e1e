/**
 * What travels between the owner of a shared space and its workers as messages: the handle, once, and news about RAM that
 * was added later. Everything is structured-cloneable; all else goes through shared memory. D8.
 */
import type { ByteOrder } from '@guestmem/vm-memory';

/** Changes with every incompatible change of the layouts. */
export const PROTOCOL = 4;

/** One host buffer of a RAM block. */
export interface SharedSegment {
  /** Offset of its first byte in the block. */
  readonly start: number;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly length: number;
}

/** One RAM block that workers reach directly. */
export interface SharedBlock {
  /** Never used again for another block. */
  readonly id: number;
  readonly name: string;
  /** In ascending order, without gaps. */
  readonly segments: readonly SharedSegment[];
  /** Page states of dirty tracking, one byte a page. */
  readonly pages: SharedArrayBuffer;
  readonly pageShift: number;
}

/** Give it to `attach` in one worker: `postMessage`, `workerData` or any other structured clone. */
export interface SharedSpaceHandle {
  readonly guestmem: 'shared-space';
  readonly protocol: number;
  /** The address space's name. */
  readonly name: string;
  readonly order: ByteOrder;
  /** Tells this worker's slots from those of others; see `SharedSpace.release`. */
  readonly claim: number;
  readonly rcu: SharedArrayBuffer;
  readonly tables: SharedArrayBuffer;
  readonly ring: SharedArrayBuffer;
  readonly blocks: readonly SharedBlock[];
}

/** News for workers that are attached already. */
export type SharedSpaceNews =
  | { readonly guestmem: 'ram'; readonly block: SharedBlock }
  | { readonly guestmem: 'drop'; readonly id: number };

/** Where the owner sends news: a Worker, MessagePort, BroadcastChannel or anything with this method. */
export interface NewsPort {
  postMessage(message: unknown): void;
}

/** Is `message` news of a shared space? For programs that send their own messages over the same port. */
export function isSharedSpaceNews(message: unknown): message is SharedSpaceNews {
  if (typeof message !== 'object' || message === null) return false;
  const { guestmem } = message as { guestmem?: unknown };
  return guestmem === 'ram' || guestmem === 'drop';
}
