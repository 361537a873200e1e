/**
 * A registered reader of a shared domain: its slot, and the few atomic operations of its read side. Hot: `enter`,
 * `leave` and `quiescent` allocate nothing. Two flavours use the same words, so readers of both can share a domain:
 * memory-barrier (enter and leave at every outermost section) and quiescent-state (enter once, then say `quiescent` now
 * and then; sections in between cost nothing)..
 */
import { RcuError } from './error.ts';
import { CLAIM, CTR, EVENT, GP, NEXT_CLAIM, SLOTS, slotWord, WAITING } from './shared-layout.ts';

/** A number that no other reader of the domain has, 1 to 2^30. */
export function newClaim(words: Int32Array): number {
  return (Atomics.add(words, NEXT_CLAIM, 1) & 0x3fff_ffff) + 1;
}

/** One reader. Belongs to the agent that claimed it. */
export class SharedReader {
  /** Its slot, 0 and up. */
  readonly slot: number;
  /** @internal */
  protected readonly words: Int32Array;
  /** @internal First word of its slot. */
  protected readonly at: number;
  readonly #claim: number;
  #inside = false;

  /**
   * Claims a free slot of the domain in `words`.
   * @param claim a number of `newClaim`: the slot then says whose it is from the first moment. @throws {RcuError} `no-free-slot`.
   */
  constructor(words: Int32Array, claim: number = newClaim(words)) {
    const slots = Atomics.load(words, SLOTS);
    let slot = 0;
    while (slot < slots && Atomics.compareExchange(words, slotWord(slot) + CLAIM, 0, claim) !== 0) slot++;
    if (slot === slots)
      throw new RcuError('no-free-slot', `all ${slots} reader slots are taken; make the domain with more slots`);
    this.slot = slot;
    this.words = words;
    this.at = slotWord(slot);
    this.#claim = claim;
  }

  /** Has a grace period begun that waits for this reader? Its parity is then not the one that was read on entry. */
  get wanted(): boolean {
    return this.#inside && ((Atomics.load(this.words, GP) ^ Atomics.load(this.words, this.at + CTR)) & 2) !== 0;
  }

  /** from here on no grace period ends before `leave`. Read the protected pointer, with Atomics, after it. @throws {RcuError} `evicted`. */
  enter(): void {
    const words = this.words;
    Atomics.store(words, this.at + CTR, Atomics.load(words, GP));
    if (Atomics.load(words, this.at + CLAIM) !== this.#claim) this.#lost();
    this.#inside = true;
  }

  /** */
  leave(): void {
    this.#inside = false;
    const words = this.words;
    if (Atomics.load(words, this.at + CLAIM) !== this.#claim) return;
    Atomics.store(words, this.at + CTR, 0);
    if (Atomics.load(words, this.at + WAITING) !== 0) this.wake();
  }

  /** Leaves and enters at once: nothing read before is used any more. Three atomic loads when no grace period has moved on. @throws {RcuError} `evicted`. */
  quiescent(): void {
    const words = this.words;
    const gp = Atomics.load(words, GP);
    if (Atomics.load(words, this.at + CTR) === gp && Atomics.load(words, this.at + CLAIM) === this.#claim) return;
    this.leave();
    this.enter();
  }

  /** Gives the slot back. */
  unregister(): void {
    this.leave();
    const words = this.words;
    Atomics.compareExchange(words, this.at + CLAIM, this.#claim, 0);
    if (Atomics.load(words, this.at + WAITING) !== 0) this.wake();
  }

  /** @internal Stores a parity that was fetched earlier. */
  protected publish(gp: number): void {
    Atomics.store(this.words, this.at + CTR, gp);
  }

  /** @internal */
  protected wake(): void {
    const words = this.words;
    Atomics.store(words, this.at + WAITING, 0);
    Atomics.add(words, EVENT, 1);
    Atomics.notify(words, EVENT);
  }

  #lost(): never {
    this.#inside = false;
    throw new RcuError(
      Atomics.load(this.words, this.at + CLAIM) === -this.#claim ? 'evicted' : 'not-registered',
      `reader slot ${this.slot} no longer belongs to this agent: it did not answer in time, or has unregistered`,
    );
  }
}
