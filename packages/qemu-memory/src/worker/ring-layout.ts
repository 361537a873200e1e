/**
 * The request ring in shared memory: a bounded number of entries, each taken by compare-exchange with the caller's number
 * in it, so that what a dead caller held can be told and freed; served in the order of their tickets. A caller has one
 * request at a time and waits for it. D8.
 */
import { WorkerError } from './error.ts';

/** Int32 words of the header. */
const MAGIC = 0;
const ENTRIES = 1;
const PAYLOAD = 2;
/** Counts requests: the owner waits on it. */
export const DOORBELL = 3;
/** Counts entries that became free: callers that found none wait on it. */
export const FREED = 4;
/** The next ticket. */
export const TICKET = 5;
/** Is the owner blocked on DOORBELL? Saves the callers a needless wake-up. */
export const SLEEPING = 6;
const HEADER_WORDS = 16;

/** Int32 words of an entry. */
export const STATE = 0; // 0 free, else caller << 4 | phase.
export const ORDER = 1; // Ticket.
export const OP = 2; // Op below, and BEGIN.
export const FLAGS = 3;
export const ADDR_LO = 4;
export const ADDR_HI = 5;
export const LEN_LO = 6; // Of the whole transfer; the high half is word 7.
export const ATTRS_LO = 8;
export const ATTRS_HI = 9;
export const CHUNK = 10; // Bytes in the payload now.
export const RESULT = 11;
export const DONE_LO = 12; // The high half is word 13.
export const REPLY = 14; // Reply below.
export const PIN = 15; // The pinned view that is meant; 0: the space itself.
const ENTRY_HEADER_WORDS = 16;
const MAGIC_VALUE = 0x47525131;

/** Phases of an entry. */
export const CLAIMED = 1; // The caller fills it in.
export const READY = 2; // The owner may take it.
export const SERVING = 3; // The owner works on it.
export const ANSWERED = 4; // The caller may read the reply.
export const ABANDONED = 5; // The caller gave up while the owner worked; the owner frees it.

/** What is asked. */
export const Op = {
  LOAD: 1,
  STORE: 2,
  READ: 3,
  WRITE: 4,
  /** The next piece of what is read. */
  CONTINUE: 5,
  /** Own attribute fields of the request that follows. */
  ATTRS: 6,
  /** The byte is the payload. */
  FILL: 7,
  /** */
  WRITE_ROM: 8,
  /** */
  STORE_NOTDIRTY: 9,
  /** result 1 where it is valid. */
  VALID: 10,
  /** result 1 where it is. */
  IS_IO: 11,
  /** What answers at the address (result, Extent) and how far (done). */
  EXTENT: 12,
  /** Holds the view: its number (result), then its table. */
  PIN: 13,
  UNPIN: 14,
  /** Code may have been in what a store has changed: the address is an offset in the RAM block whose id the flags are. */
  CODE: 15,
} as const;
/** Beside the Op of a transaction's first exchange: nothing of the one before, which may have been given up, belongs to it. */
export const BEGIN = 0x100;
/** What EXTENT answers. */
export const Extent = { NONE: 0, OTHER: 1, RAM: 2 } as const;
/** Flags of a request. */
export const BIG_ENDIAN = 1;
export const GO_ON = 2; // onError 'continue'.
export const THROW = 4; // The caller has no MemTx: the error is wanted in full.
export const FOR_WRITE = 8; // Of a question.
export const ORDERING_SHIFT = 4; // 4 bits; 0: none.
export const KIND_SHIFT = 8; // ScalarKind of the codec.
/** Replies. */
export const Reply = {
  DONE: 0,
  MORE: 1,
  THREW: 2,
  /** Threw when the caller's MemTx had been written: result and done go with it. */
  THREW_TOLD: 3,
} as const;

/** Fresh memory for `entries` entries with `payload` bytes each (a multiple of 64). */
export function createRing(entries: number, payload: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(4 * HEADER_WORDS + entries * (4 * ENTRY_HEADER_WORDS + payload));
  const words = new Int32Array(buffer);
  words[MAGIC] = MAGIC_VALUE;
  words[ENTRIES] = entries;
  words[PAYLOAD] = payload;
  return buffer;
}

/** The ring, from either side. */
export class Ring {
  readonly words: Int32Array;
  readonly entries: number;
  /** Bytes. */
  readonly payload: number;
  readonly payloads: readonly Uint8Array[];

  /** @throws {WorkerError} `bad-handle`. */
  constructor(buffer: SharedArrayBuffer) {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < 4 * HEADER_WORDS) throw bad();
    this.words = new Int32Array(buffer);
    this.entries = this.words[ENTRIES]!;
    this.payload = this.words[PAYLOAD]!;
    const stride = 4 * ENTRY_HEADER_WORDS + this.payload;
    if (this.words[MAGIC] !== MAGIC_VALUE || buffer.byteLength !== 4 * HEADER_WORDS + this.entries * stride)
      throw bad();
    this.payloads = Array.from(
      { length: this.entries },
      (_, n) => new Uint8Array(buffer, 4 * HEADER_WORDS + n * stride + 4 * ENTRY_HEADER_WORDS, this.payload),
    );
  }

  /** First word of entry `entry`. */
  at(entry: number): number {
    return HEADER_WORDS + entry * (ENTRY_HEADER_WORDS + this.payload / 4);
  }

  /** Makes an entry free and tells who waits for one. */
  free(entry: number): void {
    Atomics.store(this.words, this.at(entry) + STATE, 0);
    Atomics.add(this.words, FREED, 1);
    Atomics.notify(this.words, FREED);
  }
}

/** Puts a length or count of at most 2^53 into two words. */
export function putWide(words: Int32Array, at: number, value: number): void {
  words[at] = value | 0;
  words[at + 1] = Math.floor(value / 0x1_0000_0000);
}

/** Takes it out again. */
export function getWide(words: Int32Array, at: number): number {
  return (words[at + 1]! >>> 0) * 0x1_0000_0000 + (words[at]! >>> 0);
}

function bad(): WorkerError {
  return new WorkerError('bad-handle', 'this SharedArrayBuffer holds no request ring of a shared address space');
}
