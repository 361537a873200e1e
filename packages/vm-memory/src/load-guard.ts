/** A snapshot of any space, given back when one is done with it: what dropping the guard does in Rust. V-1.8, V-1.9. */
import { DISPOSE, type DisposableHandle, disposable } from './dispose.ts';
import type { GuestMemory } from './guest-memory.ts';

/** A snapshot and the right to it. */
export interface GuestMemoryLoadGuard<M extends object = GuestMemory> extends DisposableHandle {
  /** What `space.memory()` gave. Not to be used after `dispose`. */
  readonly memory: M;
}

/**
 * Takes a snapshot of `space` for a while: `using guard = loadGuard(space)`. Needed where the consumer does not know the space: one of
 * @guestmem/qemu-memory keeps what its snapshots show, a plain map does not care.
 *
 * @param space a `GuestAddressSpace`, or whatever else gives snapshots; its `memory()` is called once. What that gives is disposed of with the guard if `using` would take it.
 */
export function loadGuard<M extends object>(space: { memory(): M }): GuestMemoryLoadGuard<M> {
  const memory: M & Partial<DisposableHandle> = space.memory();
  return { memory, ...disposable(() => memory[DISPOSE]?.()) };
}
