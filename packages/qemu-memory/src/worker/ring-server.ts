/**
 * The owner's end of the request ring: takes requests in the order of their tickets and performs each, whole, on the
 * owner's memory, as if the owner had made it. A long transfer arrives and leaves in pieces but is one access..
 */
import { MemTx, type MemTxAttrs, type MemTxAttrsFields, memTxAttrsFromBits, mergeMemTxAttrs } from '@guestmem/memtx';
import type { GuestAddress, Ordering } from '@guestmem/vm-memory';
import { codecOf } from './codec-of.ts';
import { WorkerError } from './error.ts';
import type { OwnerQuestions } from './owner-questions.ts';
import { getText, putError } from './remote-error.ts';
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
  FLAGS,
  GO_ON,
  getWide,
  LEN_LO,
  OP,
  Op,
  ORDER,
  ORDERING_SHIFT,
  PIN,
  putWide,
  READY,
  REPLY,
  RESULT,
  Reply,
  type Ring,
  SERVING,
  STATE,
  THROW,
} from './ring-layout.ts';
import { RingStage } from './ring-stage.ts';

/** An entry when it was last seen to change. */
interface Held {
  readonly state: number;
  readonly ticket: number;
  readonly since: number;
}

/** What no access leaves in a MemTx's `done`. */
const UNTOLD = -1;

/** Serves one ring with one memory. */
export class RingServer {
  /** Requests performed since the start. */
  served = 0;
  readonly #ring: Ring;
  readonly #questions: OwnerQuestions;
  readonly #claimOf: (slot: number) => number;
  readonly #stages: RingStage[];
  readonly #held: Held[];
  readonly #views: DataView[];
  readonly #tx = new MemTx();
  #busy = false;

  /** @param claimOf whose a reader slot is. */
  constructor(ring: Ring, questions: OwnerQuestions, claimOf: (slot: number) => number) {
    this.#ring = ring;
    this.#questions = questions;
    this.#claimOf = claimOf;
    this.#stages = ring.payloads.map(() => new RingStage());
    this.#held = ring.payloads.map(() => ({ state: 0, ticket: 0, since: 0 }));
    this.#views = ring.payloads.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  /** Is a request being performed (a device callback is running)? */
  get busy(): boolean {
    return this.#busy;
  }

  /** Performs what is waiting, at most `most` exchanges. Does nothing inside a device callback. @returns how many. */
  poll(most = 64): number {
    if (this.#busy) return 0;
    let count = 0;
    for (; count < most; count++) {
      const entry = this.#oldest();
      if (entry < 0) break;
      this.#take(entry);
    }
    return count;
  }

  /** Frees what callers of `slot` hold: their agent is dead. @returns how many entries. */
  freeEntriesOf(slot: number): number {
    const { words, entries } = this.#ring;
    let freed = 0;
    for (let entry = 0; entry < entries; entry++) {
      const state = this.#ring.at(entry) + STATE;
      const now = Atomics.load(words, state);
      if (now >>> 4 !== slot + 1) continue;
      if ((now & 15) === SERVING) {
        Atomics.store(words, state, (now & ~15) | ABANDONED); // Being performed right now, further up this stack.
        continue;
      }
      this.#stages[entry]!.clear();
      this.#ring.free(entry);
      freed++;
    }
    return freed;
  }

  /**
   * Reader slots of callers that have held an entry, with nothing for the owner to do, since they were seen `ms` ago. Takes back
   * what callers left that gave up between two pieces.
   */
  idleCallers(now: number, ms: number): number[] {
    const { words, entries } = this.#ring;
    const found: number[] = [];
    for (let entry = 0; entry < entries; entry++) {
      const at = this.#ring.at(entry);
      const state = Atomics.load(words, at + STATE);
      const phase = state & 15;
      if (state === 0) this.#stages[entry]!.clear();
      const held = this.#held[entry]!;
      // Each exchange has a ticket of its own, so an entry that goes round is told from one that stays.
      if (held.state !== state || held.ticket !== words[at + ORDER]!) {
        this.#held[entry] = { state, ticket: words[at + ORDER]!, since: now };
        continue;
      }
      if ((phase === ANSWERED || phase === CLAIMED) && now - held.since >= ms) found.push((state >>> 4) - 1);
    }
    return found;
  }

  #oldest(): number {
    const { words, entries } = this.#ring;
    let best = -1;
    let order = 0;
    for (let entry = 0; entry < entries; entry++) {
      const at = this.#ring.at(entry);
      if ((Atomics.load(words, at + STATE) & 15) !== READY) continue;
      const ticket = words[at + ORDER]!;
      if (best >= 0 && ((ticket - order) | 0) > 0) continue;
      best = entry;
      order = ticket;
    }
    return best;
  }

  #take(entry: number): void {
    const { words } = this.#ring;
    const at = this.#ring.at(entry);
    const ready = Atomics.load(words, at + STATE);
    const tag = ready & ~15;
    if ((ready & 15) !== READY || Atomics.compareExchange(words, at + STATE, ready, tag | SERVING) !== ready) return;
    this.#busy = true;
    this.#tx.done = UNTOLD;
    try {
      if (this.#claimOf((tag >>> 4) - 1) <= 0)
        throw new WorkerError('evicted', 'the owner has let this worker go; nothing was done');
      this.#perform(entry, at);
    } catch (error) {
      this.#stages[entry]!.clear();
      const told = this.#tx.done !== UNTOLD;
      if (told) this.#outcome(at, this.#tx, 0);
      words[at + REPLY] = told ? Reply.THREW_TOLD : Reply.THREW;
      words[at + CHUNK] = putError(this.#ring.payloads[entry]!, error);
    } finally {
      this.#busy = false;
    }
    if (Atomics.compareExchange(words, at + STATE, tag | SERVING, tag | ANSWERED) === (tag | SERVING)) {
      this.#stages[entry]!.given();
      Atomics.notify(words, at + STATE);
    } else {
      this.#stages[entry]!.clear();
      this.#ring.free(entry);
    }
  }

  #perform(entry: number, at: number): void {
    const { words } = this.#ring;
    const stage = this.#stages[entry]!;
    const payload = this.#ring.payloads[entry]!;
    const op = words[at + OP]! & ~BEGIN;
    if ((words[at + OP]! & BEGIN) !== 0) stage.clear();
    if (op === Op.CONTINUE) {
      this.#give(stage, payload, at);
      return;
    }
    if (op === Op.ATTRS) {
      stage.own = readOwn(getText(payload, words[at + CHUNK]!));
      words[at + CHUNK] = 0;
      words[at + REPLY] = Reply.DONE;
      return;
    }
    const len = getWide(words, at + LEN_LO);
    const isBulk = op === Op.WRITE || op === Op.READ || op === Op.WRITE_ROM;
    if (isBulk && !this.#collect(stage, payload, at, len)) return;
    const addr = getAddress(words, at);
    const attrs = this.#attrs(stage, at);
    this.served++;
    if (isBulk) this.#bulk(op, stage, payload, at, addr, len, attrs);
    else if (op === Op.LOAD || op === Op.STORE || op === Op.STORE_NOTDIRTY)
      this.#scalar(op, entry, at, addr, len, attrs);
    else this.#question(op, stage, payload, at, addr, len, attrs);
  }

  #scalar(op: number, entry: number, at: number, addr: GuestAddress, size: number, attrs: MemTxAttrs): void {
    const { words } = this.#ring;
    const flags = words[at + FLAGS]!;
    const memory = this.#questions.memory(words[at + PIN]!);
    const codec = codecOf(flags, size);
    const tx = (flags & THROW) !== 0 ? null : this.#tx;
    const order = (flags >>> ORDERING_SHIFT) & 15;
    const ordering = order === 0 ? undefined : (order as Ordering);
    const view = this.#views[entry]!;
    if (op === Op.LOAD) codec.set(view, 0, memory.txLoad(addr, codec, attrs, tx, ordering));
    else if (op === Op.STORE) memory.txStore(addr, codec, codec.get(view, 0), attrs, tx, ordering);
    else memory.stlNotdirty(addr, codec.get(view, 0) as number, attrs, tx);
    words[at + CHUNK] = op === Op.LOAD ? size : 0;
    this.#outcome(at, tx, size);
    words[at + REPLY] = Reply.DONE;
    this.#stages[entry]!.own = null;
  }

  #bulk(
    op: number,
    stage: RingStage,
    payload: Uint8Array,
    at: number,
    addr: GuestAddress,
    len: number,
    attrs: MemTxAttrs,
  ): void {
    const flags = this.#ring.words[at + FLAGS]!;
    const onError = (flags & GO_ON) !== 0 ? 'continue' : 'stop';
    const tx = (flags & THROW) !== 0 ? null : this.#tx;
    const memory = this.#questions.memory(this.#ring.words[at + PIN]!);
    stage.own = null;
    if (op !== Op.READ) {
      const bytes = stage.take();
      if (op === Op.WRITE) memory.txWrite(addr, bytes, attrs, onError, tx);
      else memory.writeRom(addr, bytes, attrs);
      this.#outcome(at, op === Op.WRITE ? tx : null, len);
      this.#ring.words[at + CHUNK] = 0;
      this.#ring.words[at + REPLY] = Reply.DONE;
      return;
    }
    const bytes = stage.take(); // The caller sent its buffer along: what the access leaves alone stays as it was.
    memory.txRead(addr, bytes, attrs, onError, tx);
    stage.offer(bytes);
    this.#outcome(at, tx, len);
    this.#give(stage, payload, at);
  }

  #question(
    op: number,
    stage: RingStage,
    payload: Uint8Array,
    at: number,
    addr: GuestAddress,
    len: number,
    attrs: MemTxAttrs,
  ): void {
    const { words } = this.#ring;
    const flags = words[at + FLAGS]!;
    stage.own = null;
    const claim = this.#claimOf((Atomics.load(words, at + STATE) >>> 4) - 1);
    const answer = this.#questions.answer(
      { op, addr, len, flags, attrs, bytes: payload.slice(0, words[at + CHUNK]), pin: words[at + PIN]!, claim },
      (flags & THROW) !== 0 ? null : this.#tx,
    );
    words[at + RESULT] = answer.result | 0;
    putWide(words, at + DONE_LO, answer.done);
    stage.offer(answer.bytes, answer.undo);
    this.#give(stage, payload, at);
  }

  #outcome(at: number, tx: MemTx | null, len: number): void {
    const { words } = this.#ring;
    words[at + RESULT] = tx === null ? 0 : tx.result | 0;
    putWide(words, at + DONE_LO, tx === null ? len : tx.done);
  }

  /** Adds a piece of a write. @returns whether it was the last. */
  #collect(stage: RingStage, payload: Uint8Array, at: number, len: number): boolean {
    const { words } = this.#ring;
    const isLast = stage.collect(payload.subarray(0, words[at + CHUNK]!), len);
    words[at + CHUNK] = 0;
    words[at + REPLY] = Reply.DONE;
    return isLast;
  }

  /** Gives the next piece of a read. */
  #give(stage: RingStage, payload: Uint8Array, at: number): void {
    const { words } = this.#ring;
    words[at + CHUNK] = stage.give(payload);
    words[at + REPLY] = stage.hasMore ? Reply.MORE : Reply.DONE;
  }

  #attrs(stage: RingStage, at: number): MemTxAttrs {
    const { words } = this.#ring;
    const standard = memTxAttrsFromBits((words[at + ATTRS_HI]! >>> 0) * 0x1_0000_0000 + (words[at + ATTRS_LO]! >>> 0));
    if (stage.own === null) return standard;
    return mergeMemTxAttrs(standard, { ...stage.own, unspecified: standard.unspecified });
  }
}

function getAddress(words: Int32Array, at: number): GuestAddress {
  const hi = words[at + ADDR_HI]! >>> 0;
  const lo = words[at + ADDR_LO]! >>> 0;
  return hi <= 0x1f_ffff ? hi * 0x1_0000_0000 + lo : (BigInt(hi) << 32n) | BigInt(lo);
}

function readOwn(text: string): MemTxAttrsFields {
  const own = JSON.parse(text) as [string, 'n' | 'v', string | number | boolean][];
  return Object.fromEntries(own.map(([name, kind, value]) => [name, kind === 'n' ? BigInt(`0x${value}`) : value]));
}
