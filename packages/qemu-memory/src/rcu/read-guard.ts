/// <reference lib="esnext.disposable" preserve="true" />
/** A read section as an object, for `using`. A-211. */
import { DISPOSE } from '@guestmem/vm-memory';
import type { RcuGuard, RcuReadSide } from './rcu.ts';

/** Enters a section when made, leaves it once. */
export class ReadGuard implements RcuGuard {
  #side: RcuReadSide | null;

  constructor(side: RcuReadSide) {
    side.readLock();
    this.#side = side;
  }

  dispose(): void {
    const side = this.#side;
    this.#side = null;
    side?.readUnlock();
  }

  [DISPOSE](): void {
    this.dispose();
  }
}
