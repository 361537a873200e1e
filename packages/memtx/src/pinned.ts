/** Pinned views: the map as it was when the view was made, however it changes meanwhile, until the view is disposed. A-252. */
import {
  DISPOSE,
  type DisposableHandle,
  type GuestAddressSpace,
  type GuestMemory,
  loadGuard,
} from '@guestmem/vm-memory';
import type { MemTxViewOptions } from './access-options.ts';
import { attributed } from './attributed.ts';
import { UNBOUND } from './bound-view.ts';
import type { TxMemory } from './memory.ts';
import { PinnedMemory } from './pinned-memory.ts';
import { MemTxView } from './view.ts';
import { bind } from './view-call.ts';

/** `using` disposes it. The method is a property of each view: a class member could not be named by `DISPOSE`. */
export interface PinnedMemTxView extends DisposableHandle {}

/** A view on one snapshot. Views that `with` derives from it look at the same snapshot and end with it. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor sets the one member
export class PinnedMemTxView extends MemTxView {
  readonly #pin: PinnedMemory;

  /** @hideconstructor */
  constructor(pin: PinnedMemory, options: MemTxViewOptions) {
    const { attrs, native, onError, tx } = bind(UNBOUND, options);
    super(pin, attrs, native, onError, tx);
    this.#pin = pin;
    this[DISPOSE] = () => pin.dispose();
  }

  get disposed(): boolean {
    return this.#pin.disposed;
  }

  /** Gives the snapshot back; every later access, also through derived views, is a TypeError. Again: no effect. */
  dispose(): void {
    this.#pin.dispose();
  }
}

/**
 * Takes a snapshot of `space` and binds a view to it.
 *
 * @param space its `memory()` is called once. A snapshot that `using` would take is disposed of with the view.
 */
export function pinnedView(
  space: GuestAddressSpace<GuestMemory> | { memory(): TxMemory },
  options: MemTxViewOptions = {},
): PinnedMemTxView {
  bind(UNBOUND, options); // Refuses what it refuses before there is a snapshot to give back.
  const { memory, dispose } = loadGuard<GuestMemory | TxMemory>(space); // Leaves an address space that is its own snapshot.
  return new PinnedMemTxView(new PinnedMemory(attributed(memory), dispose), options);
}
