/** The re-entrancy guard: one flag per device, shared by all its regions, neither nested nor per thread.. */

/** One owner's flag. `guard.busy = guard.enabled` on entry, false on exit: one class serves regions without a guard too. */
export class OwnerGuard {
  /** Does entering set the flag? False only for the stand-in of regions that opted out or have no owner. */
  readonly enabled: boolean;
  /** Is a callback of this owner running? */
  busy = false;
  /** Accesses that were refused because of it. */
  blocked = 0;

  constructor(enabled: boolean) {
    this.enabled = enabled;
  }
}
