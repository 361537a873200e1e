/** One line of the tour: what was done, where it landed, what came of it, and what QEMU answers there. */
import { type MemTx, memTxResultName } from '@guestmem/memtx';

/** A performed access. `expected` is what QEMU gives, in the same words as `got`. */
export interface Step {
  /** The access as a person says it: `load le32 @0xfed00000`. */
  readonly access: string;
  /** What answered: a region's name, or `nothing`. */
  readonly landed: string;
  /** Value or bytes; empty for a plain success. */
  readonly value: string;
  /** Names of the result bits. */
  readonly result: string;
  readonly expected: { readonly value: string; readonly result: string };
  /** The rule or example that says so. */
  readonly rule: string;
}

/** Is it as QEMU has it? */
export function holds(step: Step): boolean {
  return step.value === step.expected.value && step.result === step.expected.result;
}

/** `0x` and as many hex digits as `size` bytes have. */
export function word(value: number | bigint, size: number): string {
  return `0x${value.toString(16).padStart(size * 2, '0')}`;
}

/** Bytes in address order. */
export function bytes(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** The outcome of the last access that was given `tx`. */
export function outcome(tx: MemTx): string {
  return memTxResultName(tx.result);
}
