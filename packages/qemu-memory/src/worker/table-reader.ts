/**
 * The worker's look-up: from an address to a window of RAM by the table that is published, or to nobody, which means the
 * owner. Knows the RAM blocks that have arrived. Everything here runs inside a read section..
 */
import type { SharedBlock, SharedSpaceNews } from './handle.ts';
import { CURRENT, type TableArena } from './table-layout.ts';
import { WINDOW_BYTES, Window } from './window.ts';
import { WindowCache } from './window-cache.ts';

/** The RAM that the current table shows. */
export class TableReader {
  readonly #arena: TableArena;
  readonly #blocks = new Map<number, SharedBlock>();
  /** The windows of the table in use that were met. */
  readonly windows: WindowCache = new WindowCache();
  #byRow: (Window | undefined)[] = [];
  #table = -1;
  #publication = -1;

  constructor(arena: TableArena, blocks: readonly SharedBlock[]) {
    this.#arena = arena;
    for (const block of blocks) this.#blocks.set(block.id, block);
  }

  /** Number of the publication in use; each table published has its own. 0: everything goes to the owner. */
  get publication(): number {
    return this.#publication;
  }

  /** The blocks that have arrived. */
  get blocks(): readonly SharedBlock[] {
    return [...this.#blocks.values()];
  }

  /** RAM that was added, or is gone. */
  news(message: SharedSpaceNews): void {
    if (message.guestmem === 'ram') this.#blocks.set(message.block.id, message.block);
    else this.#blocks.delete(message.id);
  }

  /** Takes the table that is published now. @returns whether it is another one: windows of before are then void. */
  refresh(): boolean {
    const table = Atomics.load(this.#arena.words, CURRENT);
    const publication = this.#arena.publication(table);
    if (table === this.#table && publication === this.#publication) return false;
    this.#table = table;
    this.#publication = publication;
    this.forget();
    return true;
  }

  /** Drops windows, which keep buffers alive and belong to one table. */
  forget(): void {
    this.windows.clear();
    this.#byRow.length = 0;
  }

  /** The window that covers `addr` (a safe integer), or null. */
  window(addr: number): Window | null {
    const met = this.windows.find(addr);
    const off = addr - met.first;
    return off >= 0 && off < met.loadLen ? met : this.#search(addr);
  }

  #search(addr: number): Window | null {
    const row = this.#arena.find(this.#table, addr);
    if (row < 0) return null;
    let window = this.#byRow[row];
    if (window === undefined || addr < window.first || addr >= window.first + window.loadLen) {
      const made = this.#make(row, addr);
      if (made === null) return null;
      window = made;
      this.#byRow[row] = window;
    }
    this.windows.enter(addr, window);
    return window;
  }

  #make(row: number, addr: number): Window | null {
    const arena = this.#arena;
    const table = this.#table;
    const block = this.#blocks.get(arena.block(table, row));
    if (block === undefined) return null; // Not here yet.
    const rowFirst = arena.first(table, row);
    const rowLast = arena.last(table, row);
    const rowOffset = arena.offset(table, row);
    const at = rowOffset + (addr - rowFirst);
    const segment = block.segments.find(({ start, length }) => at >= start && at < start + length);
    if (segment === undefined) return null;
    // The window of the segment that holds `at`, cut to the row.
    const chunk = segment.start + Math.floor((at - segment.start) / WINDOW_BYTES) * WINDOW_BYTES;
    const from = Math.max(chunk, rowOffset);
    const to = Math.min(chunk + WINDOW_BYTES, segment.start + segment.length, rowOffset + (rowLast - rowFirst) + 1);
    const dirtyMask = arena.dirtyMask(table, row);
    const firstPage = Math.floor(from / 2 ** block.pageShift);
    return new Window(
      rowFirst + (from - rowOffset),
      arena.stores(table, row),
      new Uint8Array(segment.buffer, segment.byteOffset + (from - segment.start), to - from),
      dirtyMask,
      new Uint8Array(block.pages, firstPage),
      block.pageShift,
      block.id,
      from,
    );
  }
}
