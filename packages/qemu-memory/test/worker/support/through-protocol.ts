/** What through-worker.ts and its worker say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { SharedSpaceHandle } from '@guestmem/qemu-memory';

/** Words of shared memory: turns that were given, turns that were taken. */
export const GO = 0;
export const DONE = 1;

/** One access. Codecs are `{ codec: name }`, attributes `{ bits, own }`, a MemTx `{ tx: its fields }`. */
export interface Call {
  readonly space: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type ThroughMessage =
  | { readonly call: Call }
  | { readonly attach: { readonly id: number; readonly handle: SharedSpaceHandle; readonly news: MessagePort } };

/** What a call gave. */
export interface Outcome {
  readonly value?: unknown;
  /** The transfer's buffer after it. */
  readonly bytes?: Uint8Array;
  readonly tx?: { readonly result: number; readonly done: number };
  /** An exception, as the ring carries them. */
  readonly error?: Uint8Array;
  readonly forwarded?: number;
}

export interface ThroughData {
  readonly port: MessagePort;
  readonly words: SharedArrayBuffer;
  readonly flavour: 'barrier' | 'quiescent';
}
