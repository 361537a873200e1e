/**
 * Hot. The two windows of RAM that scalar accesses try before any table: the RAM at address 0, whose offsets are the
 * addresses, and home, the window that most other accesses meet. Plain fields, read by view-access.ts.
 *
 * Measured on Node 20 / 26, u32 load, hot, loop included (raw DataView 1.4 / 1.6 ns): the window at 0 1.7 / 2.1; home 2.2 / 2.6;
 * the table 4.7 / 4.9. What was tried and lost is in tools/bench/src/variants.
 */
import type { AccessControl } from './control.ts';
import type { Slot } from './slot.ts';

const NO_VIEW = new DataView(new ArrayBuffer(0));

/** Accesses through the table between two looks at where they go. */
const SAMPLE = 64;
/** So many looks in a row must meet one slot to make it home. Eight equal regions at random get there once in 10^8 accesses. */
const AGREE = 8;
/** After so many looks home has to be found again: it may have been chance, or long ago. */
const KEEP = 16;

/** Where most accesses go. Part of a ViewMap, so that publishing a view replaces it with the same one store. */
export abstract class HotWindows {
  /** Last address of an 8-byte load, or store, in the RAM at 0 (what lies behind goes through the table); -1: not there, or not for this. */
  zeroLoad = -1;
  zeroStore = -1;
  zeroView: DataView = NO_VIEW;
  zero: Slot;
  /** Never a slot that must be looked up anew, is tapped, or reaches 2^31. */
  home: Slot;
  private ticks = 0;
  #looks = 0;
  #agreed = 0;
  #met: Slot;
  readonly #none: Slot;

  private readonly control: AccessControl;

  /** @param none a slot that covers nothing. */
  constructor(none: Slot, control: AccessControl) {
    this.control = control;
    this.zero = none;
    this.home = none;
    this.#met = none;
    this.#none = none;
  }

  /** Makes the next accesses look their addresses up. */
  forgetWindows(): void {
    this.zeroLoad = -1;
    this.zeroStore = -1;
    this.zero = this.#none;
    this.home = this.#none;
    this.#met = this.#none;
  }

  /**
   * An access met `slot` through the table.
   * @returns may it go straight to the bytes? Not while an observer wants to see loads.
   */
  met(slot: Slot): boolean {
    if (++this.ticks >= SAMPLE) this.#look(slot);
    return !this.control.seesLoads;
  }

  #look(slot: Slot): void {
    this.ticks = 0;
    if (this.control.seesLoads) return;
    if (++this.#looks >= KEEP) {
      this.#looks = 0;
      this.home = this.#none;
    }
    if (slot !== this.#met) {
      this.#met = slot;
      this.#agreed = 0;
    } else if (++this.#agreed >= AGREE) {
      this.#agreed = 0;
      this.#looks = 0;
      if (slot.first === 0) this.#openZero(slot);
      else if (slot.low !== 0) this.home = slot;
    }
  }

  #openZero(slot: Slot): void {
    this.zero = slot;
    this.zeroView = slot.view;
    this.zeroLoad = slot.load8;
    this.zeroStore = slot.store8;
  }
}
