/** The re-entrancy guard: one flag per device, shared by all its regions, neither nested nor per thread.. */

/** One owner's flag. `busy` is 1 on entry, where it is enabled, and 0 on exit: one class serves regions without a guard too. */
export class OwnerGuard {
  /** Does entering set the flag? False only for the stand-in of regions that opted out or have no owner. */
  readonly enabled: boolean;
  /** 1 while a callback of this owner runs, else 0. */
  busy = 0;
  /** Accesses that were refused because of it. */
  blocked = 0;

  constructor(enabled: boolean) {
    this.enabled = enabled;
  }
}
