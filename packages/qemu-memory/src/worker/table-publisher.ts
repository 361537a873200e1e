/**
 * Turns the current view of a space into a table in shared memory, publishes it with one atomic store, and gives the old
 * table back to the arena after a grace period. Table 0 is empty and always there..
 */
import type { RamBlock } from '../region/ram-block.ts';
import type { AddressSpace } from '../space/address-space.ts';
import type { BlockTable } from './block-table.ts';
import { CLOSED, CURRENT, createTables, TableArena, type TableRow } from './table-layout.ts';
import { rowsOf, sameRows } from './table-rows.ts';

const EMPTY = 0;

/** The life of one table: free, published, retired (readers may still be in it), free again; or lost. */
interface Table {
  readonly index: number;
  blocks: ReadonlySet<RamBlock>;
}

/** Publishes for one shared space. */
export class TablePublisher {
  readonly buffer: SharedArrayBuffer;
  publications = 0;
  overflows = 0;
  readonly #space: AddressSpace;
  readonly #blocks: BlockTable;
  readonly #arena: TableArena;
  readonly #free: Table[] = [];
  readonly #retired = new Set<Table>();
  readonly #lost = new Set<Table>();
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
    for (let index = 1; index <= options.tables; index++) this.#free.push({ index, blocks: new Set() });
  }

  get freeTables(): number {
    return this.#free.length;
  }

  get lostTables(): number {
    return this.#lost.size;
  }

  /** The view has changed: publishes its RAM, unless that is the same as before. Never waits. */
  publish(): void {
    if (this.#closed) return;
    const blocks = new Set<RamBlock>();
    const { view, map, core } = this.#space;
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

  /** A worker that is let go may still read what it could read so far: those tables are not used again. */
  giveUpTables(): void {
    for (const table of this.#retired) this.#lost.add(table);
    if (this.#current !== null) this.#lost.add(this.#current);
  }

  /** All workers that were let go have ended. */
  recoverTables(): void {
    const idle = [...this.#lost].filter((table) => table !== this.#current && !this.#retired.has(table));
    this.#lost.clear();
    this.#free.push(...idle);
    if (this.#behind && idle.length > 0) this.publish();
  }

  close(): void {
    this.#closed = true;
    this.#replace(null);
    Atomics.store(this.#arena.words, CLOSED, 1);
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
    this.#blocks.release(table.blocks);
    table.blocks = new Set();
    if (this.#lost.has(table)) return;
    this.#free.push(table);
    if (this.#behind) this.publish();
  }
}
