/**
 * A map that can be replaced while others use it: readers take a snapshot, one writer at a time publishes the next one.
 * Replacing is a single store of a reference, so a reader never waits and never sees half a map. V-1.9.
 */
import { DisposableBase } from './dispose.ts';
import { GuestMemoryError } from './error.ts';
import type { GuestAddressSpace, GuestMemory } from './guest-memory.ts';

/**
 * Snapshot swap within one agent. `memory()` is the load guard: hold it as long as you like (it is the map itself, kept
 * by the garbage collector), ask again to see a newer one. Share the object itself where Rust clones it.
 */
export class GuestMemoryAtomic<M extends GuestMemory = GuestMemory> implements GuestAddressSpace<M> {
  #current: M;
  #locked = false;
  readonly #waiting: (() => void)[] = [];

  /** @param memory the first map; kept. @throws {TypeError} it is none. */
  constructor(memory: M) {
    checkMemory(memory, 'a GuestMemoryAtomic begins with');
    this.#current = memory;
  }

  /** The map as it is now. Bytes are shared by all snapshots that have the region. */
  memory(): M {
    return this.#current;
  }

  /** Is a writer at work? */
  get isLocked(): boolean {
    return this.#locked;
  }

  /**
   * The writer's lock, for a synchronous update: lock, take `memory()`, insert or remove regions, `replace`.
   *
   * @throws {GuestMemoryError} `locked`: another writer holds it, or is next: await `lockAsync`, or end that one with `replace` or `dispose`.
   */
  lock(): GuestMemoryExclusiveGuard<M> {
    if (this.#locked)
      throw new GuestMemoryError(
        'locked',
        'another writer holds the lock of this memory; await lockAsync(), or dispose the other guard first',
      );
    return this.#guard();
  }

  /** The lock, as soon as those who asked before are done. */
  async lockAsync(): Promise<GuestMemoryExclusiveGuard<M>> {
    if (this.#locked) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#guard();
  }

  #guard(): GuestMemoryExclusiveGuard<M> {
    this.#locked = true;
    return new GuestMemoryExclusiveGuard<M>((next) => {
      if (next !== undefined) this.#current = next;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#locked = false;
      else waiting(); // Still locked: nobody comes in between.
    });
  }
}

/** Permission to publish one new map. */
export class GuestMemoryExclusiveGuard<M extends GuestMemory> extends DisposableBase {
  #finish: ((next: M | undefined) => void) | undefined;

  /** @hideconstructor Made by `GuestMemoryAtomic.lock`. */
  constructor(finish: (next: M | undefined) => void) {
    super();
    this.#finish = finish;
  }

  /**
   * Publishes `memory` and gives the lock back.
   *
   * @throws {GuestMemoryError} `guard-used`: the guard has published a map before, or was disposed of.
   * @throws {TypeError} `memory` is none: the lock is still held.
   */
  replace(memory: M): void {
    const finish = this.#finish;
    if (finish === undefined) throw usedUp();
    checkMemory(memory, 'replace publishes');
    this.#finish = undefined;
    finish(memory);
  }

  /** Gives the lock back without a change. No effect after `replace`. */
  dispose(): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(undefined);
  }
}

function usedUp(): GuestMemoryError {
  return new GuestMemoryError('guard-used', 'this guard is used up; take a new lock for another replace');
}

/** Nothing would be taken for a guard that is disposed of, and published without a word. */
function checkMemory(memory: GuestMemory | undefined, who: string): void {
  if (typeof memory?.checkRange !== 'function')
    throw new TypeError(
      `${who} a guest memory, for example guestMemory([{ startAddr: 0, memory: 0x1000 }]), not ${String(memory)}`,
    );
}
