/**
 * Waiting for a word of shared memory to change: by blocking where the agent may, by promise where it may not. The
 * library has no timers of its own; an engine without Atomics.waitAsync is asked for its setTimeout. A-237.
 */
import { RcuError } from './error.ts';

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
) => { readonly async: boolean; readonly value: unknown };
type SetTimeout = (fn: () => void, ms: number) => unknown;

/** Longest single wait, so that a waiter looks again even if whoever should wake it has died. Milliseconds. */
export const WAIT_SLICE_MS = 50;

/** Blocks while `words[index]` is `value`, at most `timeoutMs`. @throws {RcuError} `cannot-block` on a browser's main thread. */
export function waitWord(words: Int32Array, index: number, value: number, timeoutMs: number): void {
  try {
    Atomics.wait(words, index, value, timeoutMs);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RcuError('cannot-block', 'this agent may not block (Atomics.wait is refused); use the asynchronous form');
  }
}

/** Resolves when `words[index]` is no longer `value` and was notified, or after `timeoutMs`, or now and then earlier. */
export async function waitWordAsync(words: Int32Array, index: number, value: number, timeoutMs: number): Promise<void> {
  const { waitAsync } = Atomics as { readonly waitAsync?: WaitAsync };
  if (waitAsync !== undefined) {
    await waitAsync(words, index, value, timeoutMs).value;
    return;
  }
  if (Atomics.load(words, index) !== value) return;
  const { setTimeout } = globalThis as { readonly setTimeout?: SetTimeout };
  if (setTimeout === undefined)
    throw new RcuError('cannot-block', 'this engine has neither Atomics.waitAsync nor timers');
  await new Promise<void>((resolve) => setTimeout(resolve, Math.min(1, timeoutMs)));
}

/** Resolves after the event loop has had a turn, where the engine lets one say so. */
export async function nextTurn(): Promise<void> {
  const { setImmediate, setTimeout } = globalThis as {
    readonly setImmediate?: SetTimeout;
    readonly setTimeout?: SetTimeout;
  };
  const later = setImmediate ?? setTimeout;
  if (later !== undefined) await new Promise<void>((resolve) => later(resolve, 0));
}
