/**
 * Grace periods over readers in many agents: the two-phase algorithm of 7.2 on Int32 words. Any agent may ask for one,
 * and any agent that steps moves on the one that is running, whoever asked. A step looks at the readers, then is taken by one
 * compare-exchange, by whoever comes first: there is no lock, and an agent that dies leaves nothing half done. Readers are in
 * shared-reader.ts. A-225 to A-230, A-235 to A-237, A-244; checked as a model in tools/rcu-model.
 */
import { RcuError } from './error.ts';
import type { RemoteReaders } from './local-rcu.ts';
import {
  CLAIM,
  CTR,
  createDomainMemory,
  EVENT,
  GP,
  openDomainMemory,
  SLOTS,
  STAMP,
  slotWord,
  WAITING,
} from './shared-layout.ts';
import { newClaim } from './shared-reader.ts';
import { SteadyClock } from './steady-clock.ts';
import { WAIT_SLICE_MS, waitWord, waitWordAsync } from './wait.ts';

const FREE = 0;

/** Between two calls of what is to be done meanwhile. Milliseconds. */
const SERVE_MS = 1;

/** Deviations that tests switch on to see them caught. Nothing else may. */
export interface DomainFaults {
  /** A single phase (A-230). */
  readonly onePhase?: boolean;
  /** Grace periods that wait for nobody. */
  readonly noWait?: boolean;
}

/** One agent's side of a domain: asks for grace periods, moves them on, waits for them. */
export class RcuDomain implements RemoteReaders {
  /** Hand it to other agents (`postMessage`, `workerData`) and open it there with `new RcuDomain(buffer)`. */
  readonly buffer: SharedArrayBuffer;
  /** @internal */
  readonly words: Int32Array;
  /** @internal Called with the claim of a reader before it is let go alive: holds what it may go on using. */
  beforeLetGo: ((claim: number) => void) | null = null;
  readonly #faults: DomainFaults;
  readonly #clock = new SteadyClock();

  constructor(buffer: SharedArrayBuffer, faults: DomainFaults = {}) {
    this.buffer = buffer;
    this.words = openDomainMemory(buffer);
    this.#faults = faults;
  }

  /** A new domain with room for `slots` readers (default 64). @throws {RangeError} not 1 to 4096. */
  static create(slots = 64, faults: DomainFaults = {}): RcuDomain {
    return new RcuDomain(createDomainMemory(slots), faults);
  }

  /** Grace periods that have ended since the domain was made, modulo 2^29. */
  get gracePeriods(): number {
    return this.phase >>> 2;
  }

  /** Changes with every step: tells whether what runs still is the same phase. Divisible by 4 when none runs. */
  get phase(): number {
    return Atomics.load(this.words, GP) >>> 1;
  }

  /** A grace period that begins after this call; give the number to `reached`, which begins it. */
  request(): number {
    const { phase } = this;
    return (phase & 3) === 0 ? phase + 4 : (phase & ~3) + 8;
  }

  /** Moves on what is running, as far as it goes. Has the grace period of `ticket` ended? Never waits. */
  reached(ticket: number): boolean {
    // Numbers are modulo 2^31.
    while ((this.phase - ticket) << 1 < 0) if (!this.#step()) return false;
    return true;
  }

  /** Blocks until the grace period of `ticket` has ended. @throws {RcuError} `timeout`, `cannot-block`. */
  wait(ticket: number, timeoutMs: number, meanwhile?: () => void): void {
    const deadline = this.#clock.now() + timeoutMs;
    while (!this.reached(ticket)) {
      meanwhile?.();
      this.pause(ticket, Math.min(this.#left(deadline, timeoutMs), meanwhile === undefined ? WAIT_SLICE_MS : SERVE_MS));
    }
  }

  /**
   * Moves on what is running; if that is not enough, blocks until there is a reason to look again, or for `ms`.
   * @returns has the grace period of `ticket` ended? @throws {RcuError} `cannot-block`.
   */
  pause(ticket: number, ms: number): boolean {
    const event = Atomics.load(this.words, EVENT); // First the event, then the look at the readers (A-237).
    if (this.reached(ticket)) return true;
    waitWord(this.words, EVENT, event, ms);
    return false;
  }

  /** Resolves when the grace period of `ticket` has ended; rejects with RcuError `timeout`. */
  async waitAsync(ticket: number, timeoutMs: number): Promise<void> {
    const deadline = this.#clock.now() + timeoutMs;
    while (!this.reached(ticket))
      await this.pauseAsync(ticket, Math.min(this.#left(deadline, timeoutMs), WAIT_SLICE_MS));
  }

  /** @internal As `pause`, without blocking. */
  async pauseAsync(ticket: number, ms: number): Promise<boolean> {
    const event = Atomics.load(this.words, EVENT); // First the event, as in `pause`.
    if (this.reached(ticket)) return true;
    await waitWordAsync(this.words, EVENT, event, ms);
    return false;
  }

  /** A number by which a reader's slot can be told: give it to the SharedRcu of that agent. */
  newClaim(): number {
    return newClaim(this.words);
  }

  /** Slots that the reader or readers with this claim hold, or that were taken away from them and are not free yet. */
  slotsOf(claim: number): number[] {
    const found: number[] = [];
    for (let slot = 0; slot < Atomics.load(this.words, SLOTS); slot++)
      if (Math.abs(this.claimOf(slot)) === claim) found.push(slot);
    return found;
  }

  /** @internal Does any reader hold a slot that was not taken away from it? */
  get hasReaders(): boolean {
    for (let slot = 0; slot < Atomics.load(this.words, SLOTS); slot++) if (this.claimOf(slot) > 0) return true;
    return false;
  }

  /** The claim that holds `slot`; 0 if it is free, the negative claim if it was taken away from that. */
  claimOf(slot: number): number {
    return Atomics.load(this.words, slotWord(slot) + CLAIM);
  }

  /** Slots whose readers the running grace period waits for. Empty when none is running. */
  blocking(): number[] {
    const words = this.words;
    const gp = Atomics.load(words, GP);
    const found: number[] = [];
    if (phaseOf(gp) === 0) return found;
    for (let slot = 0; slot < Atomics.load(words, SLOTS); slot++) {
      const at = slotWord(slot);
      if (Atomics.load(words, at + STAMP) !== gp && !this.#passes(at, gp)) found.push(slot);
    }
    return found;
  }

  /**
   * Takes its slot from a reader that does not answer, so that grace periods no longer wait for it (A-217).
   * `dead`: its agent is known to have ended (a worker's exit event); the slot can be claimed again. `unresponsive`: it
   * may still run; the slot is lost, the reader gets `evicted` at its next lock, and what it may still be using must not
   * be reused. In the domain of a shared space the space does both (`stallMs`, `release`), and keeps or frees what else there is to it.
   * @returns false: the slot was free.
   */
  evict(slot: number, why: 'dead' | 'unresponsive'): boolean {
    const words = this.words;
    const at = slotWord(slot);
    const claim = Atomics.load(words, at + CLAIM);
    if (claim === FREE) return false;
    if (why === 'dead') {
      Atomics.store(words, at + CTR, 0);
      Atomics.store(words, at + WAITING, 0);
      Atomics.store(words, at + CLAIM, FREE);
    } else if (claim > 0) {
      this.beforeLetGo?.(claim); // First: a grace period may end as soon as the slot does not count.
      Atomics.compareExchange(words, at + CLAIM, claim, -claim); // It may be leaving by itself.
    }
    this.#raise();
    return true;
  }

  /**
   * Begins a grace period, or ends the phase that is running. @returns was a step taken, by whomever? Else readers are in the way.
   */
  #step(): boolean {
    const { words } = this;
    const gp = Atomics.load(words, GP);
    const phase = phaseOf(gp);
    if (phase !== 0 && !this.#allPassed(gp)) return false;
    const isLast = phase === 2 || (phase === 1 && this.#faults.onePhase === true);
    const next = isLast ? (gp | 7) + 2 : gp + 2;
    // Who looked at the readers before another agent took this step has looked in vain: its `gp` never comes back.
    if (Atomics.compareExchange(words, GP, gp, next | 0) === gp && isLast) this.#raise();
    return true;
  }

  /** The wait phase: is every reader outside, or inside since the flip? Asks those that are not to raise EVENT. */
  #allPassed(gp: number): boolean {
    if (this.#faults.noWait === true) return true;
    const words = this.words;
    const slots = Atomics.load(words, SLOTS);
    let all = true;
    for (let slot = 0; slot < slots; slot++) {
      const at = slotWord(slot);
      if (Atomics.load(words, at + STAMP) === gp) continue; // Seen once is enough for this phase (A-244).
      if (!this.#passes(at, gp)) {
        Atomics.store(words, at + WAITING, 1); // Then look again, or its last unlock could be missed (A-237).
        if (!this.#passes(at, gp)) {
          all = false;
          continue;
        }
      }
      Atomics.store(words, at + STAMP, gp);
    }
    return all;
  }

  #passes(at: number, gp: number): boolean {
    const words = this.words;
    const ctr = Atomics.load(words, at + CTR);
    return ctr === 0 || this.#parity(ctr) === this.#parity(gp) || Atomics.load(words, at + CLAIM) <= FREE;
  }

  /** With a single phase it is flipped once a grace period. */
  #parity(gp: number): number {
    return this.#faults.onePhase === true ? ((gp + 6) >>> 3) & 1 : (gp >>> 1) & 1;
  }

  #left(deadline: number, timeoutMs: number): number {
    const left = deadline - this.#clock.now();
    if (left <= 0) throw this.timeoutError(timeoutMs);
    return left;
  }

  #raise(): void {
    Atomics.add(this.words, EVENT, 1);
    Atomics.notify(this.words, EVENT);
  }

  /** @internal Says who is in a section. */
  timeoutError(timeoutMs: number): RcuError {
    const slots = this.blocking();
    return new RcuError(
      'timeout',
      `the grace period has not ended after ${timeoutMs} ms; in read sections: ${slots.length === 0 ? 'none any more' : `readers ${slots.join(', ')}`}`,
    );
  }
}

/** 0 none, 1 first, 2 second. */
function phaseOf(gp: number): number {
  return (gp >>> 1) & 3;
}
