/**
 * Where things lie in the shared memory of an RCU domain: Int32 words, reader slots padded to a cache line each, so that
 * readers do not slow one another down. Every word is only ever touched with Atomics..
 */
import { badNumber } from '@guestmem/vm-memory';
import { RcuError } from './error.ts';

/** Words of the header. */
const MAGIC = 0;
export const SLOTS = 1; // Number of reader slots.
/**
 * Bit 0 is always set, so that no reader's counter is 0 inside; above it 4 x finished grace periods + the phase that is running: 0
 * none, 1 first, 2 second. So bit 1 is the parity, and one compare-exchange is a whole step.
 */
export const GP = 2;
export const EVENT = 3; // Counts what a waiter may wait for: a reader left, a grace period ended.
export const NEXT_CLAIM = 4; // Last claim number handed out.
const HEADER_WORDS = 16;

/** Words of a slot. */
export const CLAIM = 0; // 0 free, else the claim number of its reader; negative: taken away from that reader.
export const CTR = 1; // 0 outside sections, else the GP value that was read on entry.
export const WAITING = 2; // A grace period waits for this reader: it must raise EVENT when it leaves.
export const STAMP = 3; // GP of the last phase that saw this reader outside or in the new parity.
const SLOT_WORDS = 16;

const MAGIC_VALUE = 0x52435532; // "RCU2"

/** Most readers a domain can have. */
const MAX_SLOTS = 4096;

/** First word of slot `slot`. */
export function slotWord(slot: number): number {
  return HEADER_WORDS + slot * SLOT_WORDS;
}

/** Fresh shared memory for `slots` readers. @throws {RangeError} not 1 to 4096. */
export function createDomainMemory(slots: number): SharedArrayBuffer {
  if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SLOTS)
    throw badNumber(`reader slots must be 1 to ${MAX_SLOTS}`, slots);
  const buffer = new SharedArrayBuffer(4 * slotWord(slots));
  const words = new Int32Array(buffer);
  words[SLOTS] = slots;
  words[GP] = 1;
  Atomics.store(words, MAGIC, MAGIC_VALUE);
  return buffer;
}

/** The words of `buffer`. @throws {RcuError} `bad-handle`: it was not made by `createDomainMemory`. */
export function openDomainMemory(buffer: SharedArrayBuffer): Int32Array {
  if (!(buffer instanceof SharedArrayBuffer))
    throw new RcuError('bad-handle', 'an RCU domain lies in a SharedArrayBuffer');
  const words = new Int32Array(buffer);
  if (words.length < HEADER_WORDS || Atomics.load(words, MAGIC) !== MAGIC_VALUE)
    throw new RcuError('bad-handle', 'this SharedArrayBuffer holds no RCU domain');
  if (words.length !== slotWord(Atomics.load(words, SLOTS)))
    throw new RcuError('bad-handle', 'the RCU domain in this SharedArrayBuffer is cut off');
  return words;
}
