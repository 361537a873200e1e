/**
 * The worker's end of the request ring: one transaction at a time, from taking an entry to its outcome. Blocks; must be
 * called outside read sections. What goes wrong is typed, and says whether the request can still have an effect.
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import { RcuError } from '../rcu/error.ts';
import { SteadyClock } from '../rcu/steady-clock.ts';
import { waitWord } from '../rcu/wait.ts';
import { WorkerError } from './error.ts';
import { Patience } from './patience.ts';
import { getError, putText } from './remote-error.ts';
import {
  ABANDONED,
  ADDR_HI,
  ADDR_LO,
  ANSWERED,
  ATTRS_HI,
  ATTRS_LO,
  BEGIN,
  CHUNK,
  CLAIMED,
  DONE_LO,
  DOORBELL,
  FLAGS,
  FREED,
  getWide,
  LEN_LO,
  OP,
  Op,
  ORDER,
  PIN,
  putWide,
  READY,
  REPLY,
  RESULT,
  Reply,
  type Ring,
  SERVING,
  SLEEPING,
  STATE,
  TICKET,
} from './ring-layout.ts';

const NO_BYTES = new Uint8Array(0);
const SLICE_MS = 50;
const LEAST_LOOKS = 100;

/** Asks the owner. `result` and `done` hold the outcome of the last transaction. */
export class RingClient {
  result = 0;
  done = 0;
  /** Are they of an access that threw after it had told them? */
  threwTold = false;
  readonly #ring: Ring;
  readonly #tag: number;
  readonly #timeoutMs: number;
  readonly #patience: Patience;
  readonly #clock = new SteadyClock();
  readonly #gone: () => WorkerError | null;
  #next = 0;

  /**
   * @param caller this worker's reader slot. @param spins looks at the reply before blocking; each is a few ns.
   * @param gone tells while waiting whether there is a reason to give up.
   */
  constructor(ring: Ring, caller: number, timeoutMs: number, spins: number, gone: () => WorkerError | null) {
    this.#ring = ring;
    this.#tag = (caller + 1) << 4;
    this.#timeoutMs = timeoutMs;
    this.#patience = new Patience(spins, LEAST_LOOKS);
    this.#gone = gone;
    this.#next = caller % ring.entries;
  }

  /**
   * One transaction: `input` is sent, `output` is filled. A read sends its buffer too, because a failure leaves parts of it alone.
   *
   * @param pin the pinned view that is meant, or 0. @param total length that is told; default that of the longer buffer.
   * @throws {WorkerError} `owner-not-serving`, `owner-stuck`, `closed`, `evicted`, `cannot-block`, `attrs-too-large`, `remote-error`;
   *   and what the owner's access threw.
   */
  transact(
    pin: number,
    op: number,
    addr: number | bigint,
    flags: number,
    attrs: MemTxAttrs,
    input: Uint8Array = NO_BYTES,
    output: Uint8Array = NO_BYTES,
    total: number = Math.max(input.length, output.length),
  ): void {
    const deadline = this.#clock.now() + this.#timeoutMs;
    this.threwTold = false;
    const entry = this.#claim(deadline);
    const { words, payload } = this.#ring;
    const bytes = this.#ring.payloads[entry]!;
    const at = this.#ring.at(entry);
    let begin = BEGIN;
    if (attrs.own !== null) {
      this.#sendOwn(entry, attrs, deadline);
      begin = 0;
    }
    let sent = 0;
    do {
      const chunk = Math.min(payload, input.length - sent);
      bytes.set(sent === 0 && chunk === input.length ? input : input.subarray(sent, sent + chunk));
      sent += chunk;
      words[at + ADDR_LO] = typeof addr === 'number' ? addr | 0 : Number(BigInt.asIntN(32, addr));
      words[at + ADDR_HI] =
        typeof addr === 'number' ? Math.floor(addr / 0x1_0000_0000) | 0 : Number(BigInt.asIntN(32, addr >> 32n));
      putWide(words, at + LEN_LO, total);
      words[at + ATTRS_LO] = attrs.bits | 0;
      words[at + ATTRS_HI] = Math.floor(attrs.bits / 0x1_0000_0000);
      words[at + PIN] = pin;
      words[at + OP] = op | begin;
      words[at + FLAGS] = flags;
      words[at + CHUNK] = chunk;
      this.#exchange(entry, deadline);
      begin = 0;
    } while (sent < input.length && words[at + REPLY] === Reply.DONE);
    this.#collect(entry, addr, output, deadline);
    this.#ring.free(entry);
  }

  #collect(entry: number, addr: number | bigint, output: Uint8Array, deadline: number): void {
    const { words } = this.#ring;
    const bytes = this.#ring.payloads[entry]!;
    const at = this.#ring.at(entry);
    let got = 0;
    for (;;) {
      const chunk = words[at + CHUNK]!;
      const reply = words[at + REPLY]!;
      this.result = words[at + RESULT]! >>> 0;
      this.done = getWide(words, at + DONE_LO);
      if (reply === Reply.THREW || reply === Reply.THREW_TOLD) {
        this.threwTold = reply === Reply.THREW_TOLD;
        const error = getError(bytes, chunk, addr);
        this.#ring.free(entry);
        throw error;
      }
      if (output.length > 0) output.set(chunk === bytes.length ? bytes : bytes.subarray(0, chunk), got);
      got += chunk;
      if (reply !== Reply.MORE) return;
      words[at + OP] = Op.CONTINUE;
      this.#exchange(entry, deadline);
    }
  }

  /** Attributes that the program added do not fit into bits: they go first, as text. */
  #sendOwn(entry: number, attrs: MemTxAttrs, deadline: number): void {
    const own = Object.entries(attrs.own ?? {}).map(([name, value]) =>
      typeof value === 'bigint' ? [name, 'n', value.toString(16)] : [name, 'v', value],
    );
    const text = JSON.stringify(own);
    const bytes = this.#ring.payloads[entry]!;
    if (2 * text.length > bytes.length) {
      this.#ring.free(entry);
      throw new WorkerError(
        'attrs-too-large',
        `own attribute fields take ${2 * text.length} bytes; the ring's payload has ${bytes.length}: share with a larger payload`,
      );
    }
    const at = this.#ring.at(entry);
    this.#ring.words[at + CHUNK] = putText(bytes, text);
    this.#ring.words[at + OP] = Op.ATTRS | BEGIN;
    this.#exchange(entry, deadline);
  }

  /** A free entry; waits for one while all are taken. */
  #claim(deadline: number): number {
    const { words, entries } = this.#ring;
    for (;;) {
      const freed = Atomics.load(words, FREED);
      for (let n = 0; n < entries; n++) {
        const entry = (this.#next + n) % entries;
        if (Atomics.compareExchange(words, this.#ring.at(entry) + STATE, 0, this.#tag | CLAIMED) === 0) {
          this.#next = entry;
          return entry;
        }
      }
      const left = deadline - this.#clock.now();
      const gone = this.#gone();
      if (gone !== null) throw gone;
      if (left <= 0)
        throw new WorkerError(
          'owner-not-serving',
          `all ${entries} ring entries have been taken for ${this.#timeoutMs} ms, by the workers in slots ${this.#holders()}; nothing was sent. Either the owner does not serve, or they have ended and it was not told (SharedSpace.release)`,
        );
      this.#wait(FREED, freed, Math.min(left, SLICE_MS));
    }
  }

  /** The slots of the workers that have taken entries, for people. */
  #holders(): string {
    const slots = new Set<number>();
    for (let entry = 0; entry < this.#ring.entries; entry++) {
      const state = Atomics.load(this.#ring.words, this.#ring.at(entry) + STATE);
      if (state !== 0) slots.add((state >>> 4) - 1);
    }
    return [...slots].sort((a, b) => a - b).join(', ');
  }

  /** Hands the entry to the owner and waits until it comes back. */
  #exchange(entry: number, deadline: number): void {
    const { words } = this.#ring;
    const state = this.#ring.at(entry) + STATE;
    const answered = this.#tag | ANSWERED;
    words[this.#ring.at(entry) + ORDER] = Atomics.add(words, TICKET, 1);
    Atomics.store(words, state, this.#tag | READY);
    Atomics.add(words, DOORBELL, 1);
    // An owner that is awake answers within a few µs: worth looking. One that has to be woken may need this very core.
    const woken = Atomics.load(words, SLEEPING) !== 0 && Atomics.notify(words, DOORBELL) > 0;
    if (!woken && this.#looks(state, answered)) return;
    for (;;) {
      const now = Atomics.load(words, state);
      if (now === answered) return;
      const left = deadline - this.#clock.now();
      const gone = this.#gone();
      if (left <= 0 || gone !== null) {
        this.#giveUp(entry, state, gone);
        if (Atomics.load(words, state) === answered) return;
        throw gone ?? new WorkerError('evicted', 'the owner took this worker for dead while it waited for an answer');
      }
      try {
        this.#wait(state, now, Math.max(1, Math.min(left, SLICE_MS)));
      } catch (error) {
        this.#giveUp(entry, state, error as Error);
        if (Atomics.load(words, state) !== answered) throw error;
      }
    }
  }

  /** @throws {WorkerError} `cannot-block`. */
  #wait(word: number, value: number, ms: number): void {
    try {
      waitWord(this.#ring.words, word, value, ms);
    } catch (error) {
      if (!(error instanceof RcuError)) throw error;
      throw new WorkerError(
        'cannot-block',
        'this agent may not block (Atomics.wait is refused) and has not been answered while it looked; attach in a worker, or with more `spins`',
        error,
      );
    }
  }

  #looks(state: number, answered: number): boolean {
    const { words } = this.#ring;
    const looks = this.#patience.next();
    let left = looks;
    while (left > 0 && Atomics.load(words, state) !== answered) left--;
    this.#patience.tell(looks, left > 0);
    return left > 0;
  }

  #giveUp(entry: number, state: number, gone: Error | null): void {
    const { words } = this.#ring;
    if (Atomics.compareExchange(words, state, this.#tag | READY, this.#tag | CLAIMED) === (this.#tag | READY)) {
      this.#ring.free(entry);
      throw (
        gone ??
        new WorkerError(
          'owner-not-serving',
          `the owner has not taken the request in ${this.#timeoutMs} ms; it was withdrawn. Call poll(), serve() or serveAsync() there`,
        )
      );
    }
    if (Atomics.compareExchange(words, state, this.#tag | SERVING, this.#tag | ABANDONED) === (this.#tag | SERVING))
      throw (
        gone ??
        new WorkerError(
          'owner-stuck',
          `the owner has worked on the request for more than ${this.#timeoutMs} ms; it may still take effect`,
        )
      );
  }
}
