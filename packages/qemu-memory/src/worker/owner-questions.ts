/**
 * What a worker asks of the owner beside loads, stores and transfers: could a range be accessed, what answers there, hold
 * this view. Nothing here reaches a device's data callbacks but `set`..
 */
import type { MemTx, MemTxAttrs } from '@guestmem/memtx';
import type { GuestAddress } from '@guestmem/vm-memory';
import { isWriteMode } from '../access/chunks.ts';
import { firstStepIsValid } from '../access/range-ops.ts';
import type { ViewAccess } from '../access/view-access.ts';
import { DirtyClient } from '../dirty/client.ts';
import { markWritten } from '../dirty/mark.ts';
import type { AddressSpace } from '../space/address-space.ts';
import type { BlockTable } from './block-table.ts';
import type { PinList } from './pin-list.ts';
import { Extent, FOR_WRITE, Op } from './ring-layout.ts';

const NO_BYTES = new Uint8Array(0);
const CODE_BIT = 1 << DirtyClient.CODE;

/** A question, taken out of the ring. */
export interface Question {
  readonly op: number;
  readonly addr: GuestAddress;
  readonly len: number;
  readonly flags: number;
  readonly attrs: MemTxAttrs;
  /** What came with it. */
  readonly bytes: Uint8Array;
  /** Number of the pinned view that is meant; 0: the space. */
  readonly pin: number;
  /** Of the worker's handle. */
  readonly claim: number;
}

/** What goes back. */
export interface Answer {
  readonly result: number;
  readonly done: number;
  readonly bytes: Uint8Array;
  /** To be called if they do not arrive. */
  readonly undo?: () => void;
}

/** Answers for one shared space. */
export class OwnerQuestions {
  readonly #space: AddressSpace;
  readonly #blocks: BlockTable;
  readonly #pins: PinList;

  constructor(space: AddressSpace, blocks: BlockTable, pins: PinList) {
    this.#space = space;
    this.#blocks = blocks;
    this.#pins = pins;
  }

  /** The memory that a request means. @throws {WorkerError} `closed`: a view that was given back. */
  memory(pin: number): ViewAccess {
    return pin === 0 ? this.#space : this.#pins.view(pin);
  }

  /** Answers one. @param tx for the outcome of a fill; null: throw. */
  answer(question: Question, tx: MemTx | null): Answer {
    const { op, addr, len, flags, attrs, bytes, pin, claim } = question;
    const mode = (flags & FOR_WRITE) !== 0 ? 'write' : 'read';
    if (op === Op.UNPIN) {
      this.#pins.unpin(pin);
      return reply(0);
    }
    if (op === Op.CODE) {
      const ram = this.#blocks.ramOf(flags);
      if (ram !== undefined) markWritten(ram, Number(addr), len, CODE_BIT, this.#space.core.access.invalidateCode);
      return reply(0);
    }
    const memory = this.memory(pin);
    if (op === Op.PIN) {
      const { id, image } = this.#pins.pin(memory, claim);
      return { result: id, done: image.length, bytes: image, undo: () => this.#pins.unpin(id) };
    }
    if (op === Op.FILL) {
      memory.set(addr, bytes[0]!, len, attrs, tx);
      return reply(tx === null ? 0 : tx.result, tx === null ? len : tx.done);
    }
    if (op === Op.VALID) return reply(memory.accessValid(addr, len, mode, attrs) ? 1 : 0);
    if (op === Op.IS_IO) return reply(memory.isIo(addr) ? 1 : 0);
    const [chunk] = memory.chunks(addr, len, mode, attrs);
    if (chunk === undefined) return reply(Extent.NONE);
    if (chunk.bytes !== null) return reply(Extent.RAM, chunk.length);
    const valid = firstStepIsValid(memory.map, addr, len, isWriteMode(mode), attrs);
    return reply(valid ? Extent.OTHER : Extent.NONE, chunk.length);
  }
}

function reply(result: number, done = 0): Answer {
  return { result, done, bytes: NO_BYTES };
}
