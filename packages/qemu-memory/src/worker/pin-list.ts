/**
 * The owner's side of pinned views: each holds a flat view, with what it shows, until the worker gives it back or the
 * worker's agent has ended. A worker that was only let go, or whose space was closed, may still use what it pinned.
 * T-94.
 */
import type { PinnedView } from '../access/pinned-view.ts';
import type { ViewAccess } from '../access/view-access.ts';
import { ALL_CLIENTS, DirtyClient } from '../dirty/client.ts';
import type { RamBlock } from '../region/ram-block.ts';
import type { BlockTable } from './block-table.ts';
import { WorkerError } from './error.ts';
import { createTables, TableArena } from './table-layout.ts';
import { rowsOf } from './table-rows.ts';

/** Logging may start while a view is held, and its table is not written again: the marks are set before somebody asks for them. */
const MAY_BE_LOGGED = ALL_CLIENTS & ~(1 << DirtyClient.CODE);

/** Numbers go round here, as the ring has 32 bits for them and 0 means the space itself; a guest may have its view pinned that often. */
const MOST = 2 ** 30;

interface Pin {
  readonly view: PinnedView;
  /** Of the handle that the worker attached with. */
  readonly claim: number;
  readonly blocks: ReadonlySet<RamBlock>;
}

/** The views that the workers of one shared space hold. */
export class PinList {
  readonly #blocks: BlockTable;
  readonly #rows: number;
  readonly #pins = new Map<number, Pin>();
  #lastId: number;

  /** @param rows of a table; what a view has beyond goes through the owner. @param lastId the number given out last. */
  constructor(blocks: BlockTable, rows: number, lastId = 0) {
    this.#blocks = blocks;
    this.#rows = rows;
    this.#lastId = lastId;
  }

  /** Views held. */
  get count(): number {
    return this.#pins.size;
  }

  /** Holds the view that `memory` shows now. @returns its number, and an arena with its table as the only one. */
  pin(memory: ViewAccess, claim: number): { readonly id: number; readonly image: Uint8Array } {
    const view = memory.memory();
    const blocks = new Set<RamBlock>();
    const image = createTables(1, this.#rows);
    const id = this.#newId();
    const rows = rowsOf(view.view, null, view.core.access.seesLoads, this.#blocks, blocks);
    const marking = rows.map((row) => ({ ...row, dirtyMask: row.dirtyMask | MAY_BE_LOGGED }));
    new TableArena(image).write(0, id, marking);
    this.#blocks.retain(blocks);
    this.#pins.set(id, { view, claim, blocks });
    return { id, image: new Uint8Array(image) };
  }

  /** @throws {WorkerError} `closed`: it was given back. */
  view(id: number): PinnedView {
    const pin = this.#pins.get(id);
    if (pin === undefined) throw new WorkerError('closed', `the owner holds no pinned view ${id} any more`);
    return pin.view;
  }

  /** Gives one back. */
  unpin(id: number): void {
    const pin = this.#pins.get(id);
    if (pin === undefined) return;
    this.#pins.delete(id);
    this.#blocks.release(pin.blocks);
    pin.view.dispose();
  }

  /** A number that no view has which is held. */
  #newId(): number {
    do this.#lastId = (this.#lastId % MOST) + 1;
    while (this.#pins.has(this.#lastId));
    return this.#lastId;
  }

  /** Gives all of one worker back: its agent has ended. */
  release(claim: number): void {
    for (const [id, pin] of [...this.#pins]) if (pin.claim === claim) this.unpin(id);
  }

  /** Workers that hold views. */
  get claims(): ReadonlySet<number> {
    return new Set([...this.#pins.values()].map((pin) => pin.claim));
  }
}
