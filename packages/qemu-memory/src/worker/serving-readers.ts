/**
 * The workers' readers as the owner's own grace periods see them: while the owner blocks for one it goes on serving,
 * because a worker may wait for the owner inside a section (A-219). A wait within a device callback cannot serve, and ends
 * by its time-out if it is such a worker that it waits for. Who waits also looks for workers that keep it waiting for too long.
 */
import type { RemoteReaders } from '../rcu/local-rcu.ts';
import type { RcuDomain } from '../rcu/shared-domain.ts';
import { SteadyClock } from '../rcu/steady-clock.ts';
import { WAIT_SLICE_MS } from '../rcu/wait.ts';

const SLICE_MS = 1;

/** RcuDomain, but waits serve. */
export class ServingReaders implements RemoteReaders {
  readonly #domain: RcuDomain;
  readonly #serve: () => number;
  readonly #look: () => void;
  readonly #asked: () => void;
  readonly #clock = new SteadyClock();

  /**
   * @param serve performs what workers wait for; never waits. @param look is called now and then during a wait.
   * @param asked is called when somebody asks whether a grace period has ended.
   */
  constructor(domain: RcuDomain, serve: () => number, look: () => void, asked: () => void) {
    this.#domain = domain;
    this.#serve = serve;
    this.#look = look;
    this.#asked = asked;
  }

  request(): number {
    return this.#domain.request();
  }

  reached(ticket: number): boolean {
    this.#asked();
    return this.#domain.reached(ticket);
  }

  /** For who waits for the readers of another space: a worker may be in a section there and wait for this owner here. */
  serve(): void {
    this.#serve();
  }

  wait(ticket: number, timeoutMs: number, meanwhile?: () => void): void {
    const deadline = this.#clock.now() + timeoutMs;
    while (!this.#domain.reached(ticket)) {
      const left = deadline - this.#clock.now();
      if (left <= 0) throw this.#domain.timeoutError(timeoutMs);
      if (this.#serve() > 0) continue;
      meanwhile?.();
      this.#domain.pause(ticket, Math.min(left, SLICE_MS));
      this.#look();
    }
  }

  async waitAsync(ticket: number, timeoutMs: number): Promise<void> {
    const deadline = this.#clock.now() + timeoutMs;
    while (!this.#domain.reached(ticket)) {
      const left = deadline - this.#clock.now();
      if (left <= 0) throw this.#domain.timeoutError(timeoutMs);
      await this.#domain.pauseAsync(ticket, Math.min(left, WAIT_SLICE_MS));
      this.#look();
    }
  }
}
