/**
 * Grace periods over readers in many agents: the two-phase algorithm of 7.2 on Int32 words. Any agent may ask for one,
 * and any agent that steps moves on the one that is running, whoever asked; the lock is held only within a step, never
 * across a return, and every step can be repeated, so an agent that dies leaves nothing half done. Readers are in
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
  LOCK,
  openDomainMemory,
  QUARANTINED,
  SEQ,
  SLOTS,
  STAMP,
  slotWord,
  WAITING,
} from './shared-layout.ts';
import { newClaim } from './shared-reader.ts';
import { WAIT_SLICE_MS, waitWord, waitWordAsync } from './wait.ts';

/** Who steps, when it is no reader: the lock then cannot be taken away by slot. */
const NO_SLOT = 0x3fff_ffff;
/** Set in the lock while somebody waits for it. */
const CONTENDED = 0x4000_0000;
const FREE = 0;
const TAKEN_AWAY = -1;

/** Between two calls of what is to be done meanwhile. Milliseconds. */
const SERVE_MS = 1;

/** How far a grace period is. */
const Progress = { REACHED: 0, BLOCKED: 1, LOCKED: 2 } as const;
type Progress = (typeof Progress)[keyof typeof Progress];

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
  readonly #lockId: number;
  readonly #faults: DomainFaults;

  /** @param slot the reader slot of this agent, if it has one: lets `evict` free the lock too. */
  constructor(buffer: SharedArrayBuffer, slot = -1, faults: DomainFaults = {}) {
    this.buffer = buffer;
    this.words = openDomainMemory(buffer);
    this.#lockId = slot < 0 ? NO_SLOT : slot + 1;
    this.#faults = faults;
  }

  /** A new domain with room for `slots` readers (default 64). @throws {RangeError} not 1 to 4096. */
  static create(slots = 64, faults: DomainFaults = {}): RcuDomain {
    return new RcuDomain(createDomainMemory(slots), -1, faults);
  }

  /** Grace periods that have ended since the domain was made, modulo 2^30. */
  get gracePeriods(): number {
    return Atomics.load(this.words, SEQ) >>> 2;
  }

  /** Changes with every step: tells whether what runs still is the same phase. Divisible by 4 when none runs. */
  get phase(): number {
    return Atomics.load(this.words, SEQ);
  }

  /** A grace period that begins after this call; give the number to `reached`. Begins it if none is running. */
  request(): number {
    const seq = Atomics.load(this.words, SEQ);
    const ticket = (seq & 3) === 0 ? seq + 4 : (seq & ~3) + 8;
    return ticket | 0;
  }

  /** Moves on what is running. Has the grace period of `ticket` ended? Never waits. */
  reached(ticket: number): boolean {
    return this.#drive(ticket) === Progress.REACHED;
  }

  /** Blocks until the grace period of `ticket` has ended. @throws {RcuError} `timeout`, `cannot-block`. */
  wait(ticket: number, timeoutMs: number, meanwhile?: () => void): void {
    const deadline = Date.now() + timeoutMs;
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
    const progress = this.#drive(ticket);
    if (progress === Progress.BLOCKED) waitWord(this.words, EVENT, event, ms);
    else if (progress === Progress.LOCKED) waitWord(this.words, LOCK, this.#contend(), ms);
    return progress === Progress.REACHED;
  }

  /** Resolves when the grace period of `ticket` has ended; rejects with RcuError `timeout`. */
  async waitAsync(ticket: number, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.reached(ticket))
      await this.pauseAsync(ticket, Math.min(this.#left(deadline, timeoutMs), WAIT_SLICE_MS));
  }

  /** @internal As `pause`, without blocking. */
  async pauseAsync(ticket: number, ms: number): Promise<boolean> {
    const event = Atomics.load(this.words, EVENT); // First the event, as in `pause`.
    const progress = this.#drive(ticket);
    if (progress === Progress.BLOCKED) await waitWordAsync(this.words, EVENT, event, ms);
    else if (progress === Progress.LOCKED) await waitWordAsync(this.words, LOCK, this.#contend(), ms);
    return progress === Progress.REACHED;
  }

  /** A number by which a reader's slot can be told: give it to the SharedRcu of that agent. */
  newClaim(): number {
    return newClaim(this.words);
  }

  /** Slots that the reader or readers with this claim hold. */
  slotsOf(claim: number): number[] {
    const found: number[] = [];
    for (let slot = 0; slot < Atomics.load(this.words, SLOTS); slot++)
      if (this.claimOf(slot) === claim) found.push(slot);
    return found;
  }

  /** @internal Does any reader hold a slot that was not taken away from it? */
  get hasReaders(): boolean {
    for (let slot = 0; slot < Atomics.load(this.words, SLOTS); slot++) if (this.claimOf(slot) > 0) return true;
    return false;
  }

  /** The claim that holds `slot`; 0 if it is free, -1 if it was taken away. */
  claimOf(slot: number): number {
    return Atomics.load(this.words, slotWord(slot) + CLAIM);
  }

  /** Slots whose readers the running grace period waits for. Empty when none is running. */
  blocking(): number[] {
    const words = this.words;
    const seq = Atomics.load(words, SEQ);
    const gp = Atomics.load(words, GP);
    const found: number[] = [];
    if ((seq & 3) === 0) return found;
    for (let slot = 0; slot < Atomics.load(words, SLOTS); slot++) {
      const at = slotWord(slot);
      if (Atomics.load(words, at + STAMP) !== seq && !this.#passes(at, gp)) found.push(slot);
    }
    return found;
  }

  /**
   * Takes its slot from a reader that does not answer, so that grace periods no longer wait for it (A-217).
   * `dead`: its agent is known to have ended (a worker's exit event); the slot can be claimed again. `unresponsive`: it
   * may still run; the slot is lost, the reader gets `evicted` at its next lock, and what it may still be using must not
   * be reused. @returns false: the slot was free.
   */
  evict(slot: number, why: 'dead' | 'unresponsive'): boolean {
    const words = this.words;
    const at = slotWord(slot);
    const claim = Atomics.load(words, at + CLAIM);
    if (claim === FREE) return false;
    if (why === 'dead') {
      Atomics.store(words, at + CTR, 0);
      Atomics.store(words, at + WAITING, 0);
      if (claim === TAKEN_AWAY) Atomics.sub(words, QUARANTINED, 1);
      Atomics.store(words, at + CLAIM, FREE);
      if ((Atomics.load(words, LOCK) & ~CONTENDED) === slot + 1) this.#unlock();
    } else if (claim !== TAKEN_AWAY) {
      Atomics.add(words, QUARANTINED, 1);
      Atomics.store(words, at + CLAIM, TAKEN_AWAY);
    }
    this.#raise();
    return true;
  }

  #ended(ticket: number): boolean {
    return ((Atomics.load(this.words, SEQ) - ticket) | 0) >= 0;
  }

  /** Steps as far as it goes. */
  #drive(ticket: number): Progress {
    while (!this.#ended(ticket)) {
      if (Atomics.compareExchange(this.words, LOCK, 0, this.#lockId) !== 0) return Progress.LOCKED;
      let moved = false;
      try {
        moved = this.#advance();
      } finally {
        this.#unlock();
      }
      if (!moved && !this.#ended(ticket)) return Progress.BLOCKED;
    }
    return Progress.REACHED;
  }

  #advance(): boolean {
    const words = this.words;
    let seq = Atomics.load(words, SEQ);
    if ((seq & 3) === 0) {
      this.#flip();
      seq = this.#setSeq(seq + 1);
    }
    if (!this.#allPassed(seq)) return false;
    if ((seq & 3) === 1 && this.#faults.onePhase !== true) {
      this.#flip();
      this.#setSeq(seq + 1);
    } else {
      this.#setSeq((seq | 3) + 1);
      this.#raise();
    }
    return true;
  }

  /** The wait phase: is every reader outside, or inside since the flip? Asks those that are not to raise EVENT. */
  #allPassed(seq: number): boolean {
    if (this.#faults.noWait === true) return true;
    const words = this.words;
    const gp = Atomics.load(words, GP);
    const slots = Atomics.load(words, SLOTS);
    let all = true;
    for (let slot = 0; slot < slots; slot++) {
      const at = slotWord(slot);
      if (Atomics.load(words, at + STAMP) === seq) continue; // Seen once is enough for this phase (A-244).
      if (!this.#passes(at, gp)) {
        Atomics.store(words, at + WAITING, 1); // Then look again, or its last unlock could be missed (A-237).
        if (!this.#passes(at, gp)) {
          all = false;
          continue;
        }
      }
      Atomics.store(words, at + STAMP, seq);
    }
    return all;
  }

  #passes(at: number, gp: number): boolean {
    const words = this.words;
    const ctr = Atomics.load(words, at + CTR);
    return ctr === 0 || ctr === gp || Atomics.load(words, at + CLAIM) <= FREE;
  }

  #flip(): void {
    Atomics.xor(this.words, GP, 2);
  }

  #setSeq(seq: number): number {
    Atomics.store(this.words, SEQ, seq | 0);
    return seq | 0;
  }

  /** Says that somebody waits for the lock. @returns the value that the lock then has while it is held. */
  #contend(): number {
    const held = Atomics.load(this.words, LOCK);
    if (held === 0) return CONTENDED; // Free again: no holder has this value, so the wait ends at once.
    Atomics.compareExchange(this.words, LOCK, held, held | CONTENDED);
    return held | CONTENDED;
  }

  #unlock(): void {
    if ((Atomics.exchange(this.words, LOCK, 0) & CONTENDED) !== 0) Atomics.notify(this.words, LOCK);
  }

  #left(deadline: number, timeoutMs: number): number {
    const left = deadline - Date.now();
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
