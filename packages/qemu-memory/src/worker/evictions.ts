/**
 * Lets go of workers that do not answer, so that grace periods and the ring go on without them. Such a worker may still
 * run, and nothing in JavaScript can stop it: what it could reach at that moment stays as it is, views with their RAM and
 * the tables that show it, until somebody who knows says that it has ended. What was published later it cannot reach, and
 * what others do waits for it no more. A-217.
 */
import type { RcuDomain } from '../rcu/shared-domain.ts';
import type { RingServer } from './ring-server.ts';

/** A worker that did not answer. */
export interface EvictEvent {
  /** Of its handle. */
  readonly claim: number;
  readonly slot: number;
  /** How long it was waited for, in ms. */
  readonly waitedMs: number;
}

/** Until it is known that a worker has ended: the slots that it had, and how to give back what it could reach. */
interface Evicted {
  readonly slots: number[];
  readonly giveBack: (() => void)[];
}

/** Between two looks for entries of the ring that nobody collects. */
const LOOK_MS = 250;

/** Of one shared space. */
export class Evictions {
  readonly #domain: RcuDomain;
  readonly #server: RingServer;
  readonly #hold: () => () => void;
  readonly #stallMs: number;
  readonly #tell: ((event: EvictEvent) => void) | undefined;
  readonly #evicted = new Map<number, Evicted>();
  #lookedAt = 0;
  #stalled: { readonly phase: number; readonly since: number } | null = null;

  /** @param hold holds what workers can reach now; what it returns gives it back. @param tell is told of each. */
  constructor(
    domain: RcuDomain,
    server: RingServer,
    hold: () => () => void,
    stallMs: number,
    tell: ((event: EvictEvent) => void) | undefined,
  ) {
    this.#domain = domain;
    this.#server = server;
    this.#hold = hold;
    this.#stallMs = stallMs;
    this.#tell = tell;
  }

  /** Looks for workers that have kept something waiting for too long. Never waits. @param errors gets what `tell` throws. */
  look(errors: unknown[]): void {
    const now = Date.now();
    if (now - this.#lookedAt >= Math.min(this.#stallMs / 4, LOOK_MS)) {
      this.#lookedAt = now;
      for (const slot of this.#server.idleCallers(now, this.#stallMs)) this.#letGo(slot, this.#stallMs, errors);
    }
    const { phase } = this.#domain;
    if ((phase & 3) === 0) {
      this.#stalled = null;
      return;
    }
    if (this.#stalled?.phase !== phase) this.#stalled = { phase, since: now };
    const waitedMs = now - this.#stalled.since;
    if (waitedMs < this.#stallMs) return;
    for (const slot of this.#domain.blocking()) this.#letGo(slot, waitedMs, errors);
    this.#stalled = null;
  }

  /** Was a worker with this claim let go, and may it still run? */
  has(claim: number): boolean {
    return this.#evicted.has(claim);
  }

  /** The workers with this claim have ended: gives back what was held for them. @returns the slots that they had. */
  release(claim: number): readonly number[] {
    const evicted = this.#evicted.get(claim);
    if (evicted === undefined) return [];
    this.#evicted.delete(claim);
    for (const giveBack of evicted.giveBack) giveBack();
    return evicted.slots;
  }

  #letGo(slot: number, waitedMs: number, errors: unknown[]): void {
    const claim = this.#domain.claimOf(slot);
    if (claim <= 0) return;
    const evicted = this.#evicted.get(claim) ?? { slots: [], giveBack: [] };
    evicted.slots.push(slot);
    evicted.giveBack.push(this.#hold()); // First: a grace period may end as soon as the slot does not count.
    this.#evicted.set(claim, evicted);
    this.#domain.evict(slot, 'unresponsive');
    try {
      this.#tell?.({ claim, slot, waitedMs });
    } catch (error) {
      errors.push(error);
    }
  }
}
