/**
 * Turns the current view of a space into a table in shared memory, publishes it with one atomic store, and gives the old
 * table back to the arena after a grace period. Table 0 is empty and always there..
 */
import type { RamBlock } from '../region/ram-block.ts';
import type { AddressSpace } from '../space/address-space.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { BlockTable } from './block-table.ts';
import { CLOSED, CURRENT, createTables, TableArena, type TableRow } from './table-layout.ts';
import { rowsOf, sameRows } from './table-rows.ts';

const EMPTY = 0;

/** The life of one table: free, published, retired (readers may still be in it), held for those who were let go, free again. */
interface Table {
  readonly index: number;
  blocks: ReadonlySet<RamBlock>;
  /** How often it is held. */
  holds: number;
}

/** Publishes for one shared space. */
export class TablePublisher {
  readonly buffer: SharedArrayBuffer;
  publications = 0;
  overflows = 0;
  readonly #space: AddressSpace;
  readonly #blocks: BlockTable;
  readonly #arena: TableArena;
  readonly #tables: readonly Table[];
  readonly #free: Table[];
  readonly #retired = new Set<Table>();
  /** The view that is published, and those that it replaced while readers may still be in them. */
  #view: FlatView | null = null;
  readonly #waning = new Set<{ readonly view: FlatView }>();
  readonly #early: boolean;
  #current: Table | null = null;
  #rows: readonly TableRow[] | null = null;
  #behind = false;
  #closed = false;

  constructor(
    space: AddressSpace,
    blocks: BlockTable,
    options: { readonly tables: number; readonly rows: number; readonly early: boolean },
  ) {
    this.#space = space;
    this.#blocks = blocks;
    this.#early = options.early;
    this.buffer = createTables(options.tables + 1, options.rows);
    this.#arena = new TableArena(this.buffer);
    this.#tables = Array.from({ length: options.tables }, (_, i) => ({ index: i + 1, blocks: new Set(), holds: 0 }));
    this.#free = [...this.#tables];
  }

  get freeTables(): number {
    return this.#free.length;
  }

  get lostTables(): number {
    return this.#tables.filter(({ holds }) => holds > 0).length;
  }

  /** The view has changed: publishes its RAM, unless that is the same as before. Never waits. */
  publish(): void {
    if (this.#closed) return;
    const blocks = new Set<RamBlock>();
    const { view, map, core } = this.#space;
    this.#show(view);
    const rows = rowsOf(view, map.taps, core.access.seesLoads, this.#blocks, blocks);
    this.#blocks.retain(blocks);
    if (this.#rows !== null && !this.#behind && sameRows(rows, this.#rows)) {
      this.#blocks.release(blocks);
      return;
    }
    this.#rows = rows;
    const table = this.#free.shift(); // The one that has rested longest.
    if (table === undefined) {
      if (!this.#behind) this.overflows++;
      this.#behind = true;
      this.#replace(null);
      this.#blocks.release(blocks);
      return;
    }
    this.#behind = false;
    table.blocks = blocks;
    this.#arena.write(table.index, ++this.publications, rows);
    this.#replace(table);
  }

  /** What a worker can reach now is reclaimed by no grace period: tables, and the regions of the views. @returns gives it back; call it once. */
  hold(): () => void {
    const tables = this.#current === null ? [...this.#retired] : [...this.#retired, this.#current];
    const views = [...this.#waning].map(({ view }) => view);
    if (this.#view !== null) views.push(this.#view);
    for (const table of tables) table.holds++;
    const kept = views.map((view) => view.keep());
    return () => {
      for (const giveBack of kept) giveBack();
      for (const table of tables) {
        table.holds--;
        if (table !== this.#current && !this.#retired.has(table)) this.#recycle(table);
      }
    };
  }

  close(): void {
    this.#closed = true;
    this.#show(null);
    this.#replace(null);
    Atomics.store(this.#arena.words, CLOSED, 1);
  }

  /** Called before the space lets go of the old view, so what ends here ends before the view does. */
  #show(view: FlatView | null): void {
    const old = this.#view;
    if (old === view) return;
    this.#view = view;
    if (old === null) return;
    const waning = { view: old };
    this.#waning.add(waning);
    this.#space.core.rcu.callRcu(() => this.#waning.delete(waning));
  }

  #replace(table: Table | null): void {
    const old = this.#current;
    this.#current = table;
    Atomics.store(this.#arena.words, CURRENT, table === null ? EMPTY : table.index);
    if (old === null) return;
    this.#retired.add(old);
    if (this.#early) this.#reclaim(old);
    else this.#space.core.rcu.callRcu(() => this.#reclaim(old));
  }

  #reclaim(table: Table): void {
    this.#retired.delete(table);
    this.#recycle(table);
  }

  #recycle(table: Table): void {
    if (table.holds > 0) return;
    this.#blocks.release(table.blocks);
    table.blocks = new Set();
    this.#free.push(table);
    if (this.#behind) this.publish();
  }
}
