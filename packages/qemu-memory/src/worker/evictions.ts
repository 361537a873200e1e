/**
 * Lets go of workers that do not answer, so that grace periods and the ring go on without them. Such a worker may still
 * run, and nothing in JavaScript can stop it: what it could reach at that moment stays as it is, views with their RAM and
 * the tables that show it, until somebody who knows says that it has ended. What was published later it cannot reach, and
 * what others do waits for it no more. A-217.
 */
import type { RcuDomain } from '../rcu/shared-domain.ts';
import { SteadyClock } from '../rcu/steady-clock.ts';
import type { RingServer } from './ring-server.ts';

/** A worker that did not answer. */
export interface EvictEvent {
  /** Of its handle. */
  readonly claim: number;
  readonly slot: number;
  /** How long it was waited for, in ms. */
  readonly waitedMs: number;
}

/** Between two looks for entries of the ring that nobody collects. */
const LOOK_MS = 250;

/** Of one shared space. */
export class Evictions {
  readonly #domain: RcuDomain;
  readonly #server: RingServer;
  readonly #stallMs: number;
  readonly #tell: ((event: EvictEvent) => void) | undefined;
  /** By claim, until it is known that the worker has ended: how to give back what it could reach. */
  readonly #held = new Map<number, (() => void)[]>();
  readonly #clock: SteadyClock;
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
    domain.beforeLetGo = (claim) => this.#held.set(claim, [...(this.#held.get(claim) ?? []), hold()]);
    this.#stallMs = stallMs;
    this.#clock = new SteadyClock(stallMs / 2);
    this.#tell = tell;
  }

  /** Looks for workers that have kept something waiting for too long. Never waits. @param errors gets what `tell` throws. */
  look(errors: unknown[]): void {
    const now = this.#clock.now();
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

  /** The workers with this claim have ended: gives back what was held for them. @returns whether anything was. */
  release(claim: number): boolean {
    const held = this.#held.get(claim);
    if (held === undefined) return false;
    this.#held.delete(claim);
    for (const giveBack of held) giveBack();
    return true;
  }

  #letGo(slot: number, waitedMs: number, errors: unknown[]): void {
    const claim = this.#domain.claimOf(slot);
    if (claim <= 0) return;
    this.#domain.evict(slot, 'unresponsive');
    try {
      this.#tell?.({ claim, slot, waitedMs });
    } catch (error) {
      errors.push(error);
    }
  }
}
