/**
 * A flat view in shared memory: the RAM that may be reached directly, as sorted rows. What no row covers is the owner's
 * business. Tables lie in an arena of equal slots; table 0 is empty for ever, and publishing it sends every access to the
 * owner. A table is written before it is published and not changed until its memory is reused..
 */
import { WorkerError } from './error.ts';

/** Int32 words of the header. */
const MAGIC = 0;
const TABLES = 1;
const ROWS = 2;
/** Index of the published table: the RCU-protected pointer. Atomics only. */
export const CURRENT = 3;
/** 1 when the owner has closed the space. */
export const CLOSED = 4;
const HEADER_BYTES = 64;
const TABLE_HEADER_BYTES = 16; // f64 publication number, i32 rows in use, padding.
const ROW_BYTES = 3 * 8 + 2 * 4; // f64 first, last, offset; i32 block, flags.
const MAGIC_VALUE = 0x47545431;

/** Bits of a row's flags; the dirty mask (8 bits) lies above. */
const ROW_STORE = 1;
const DIRTY_SHIFT = 8;

/** One row: addresses `first` to `last` are bytes `offset` on of block `block`. */
export interface TableRow {
  readonly first: number;
  /** At most 2^53 - 1. */
  readonly last: number;
  readonly offset: number;
  readonly block: number;
  readonly store: boolean;
  /** Clients of dirty tracking that a store marks, 0 to 255. */
  readonly dirtyMask: number;
}

/** Bytes of `tables` tables of `rows` rows, header included. */
export function bytesOfTables(tables: number, rows: number): number {
  return HEADER_BYTES + tables * tableBytes(rows);
}

/** Fresh memory for `tables` tables of `rows` rows. */
export function createTables(tables: number, rows: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytesOfTables(tables, rows));
  const words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
  words[MAGIC] = MAGIC_VALUE;
  words[TABLES] = tables;
  words[ROWS] = rows;
  return buffer;
}

/** The arena, from either side. Reading a table is plain: do it inside a read section, after an atomic load of CURRENT. */
export class TableArena {
  readonly tables: number;
  readonly rows: number;
  /** The header's words, for Atomics on CURRENT and CLOSED. */
  readonly words: Int32Array;
  readonly #ints: Int32Array;
  readonly #floats: Float64Array;

  /** @throws {WorkerError} `bad-handle`. */
  constructor(buffer: SharedArrayBuffer) {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < HEADER_BYTES) throw bad();
    this.words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.tables = this.words[TABLES]!;
    this.rows = this.words[ROWS]!;
    if (this.words[MAGIC] !== MAGIC_VALUE) throw bad();
    if (buffer.byteLength !== bytesOfTables(this.tables, this.rows)) throw bad();
    this.#ints = new Int32Array(buffer);
    this.#floats = new Float64Array(buffer);
  }

  /** Fills a table that no reader can see. Rows are in ascending order; those past `rows` are left to the owner. */
  write(table: number, publication: number, rows: readonly TableRow[]): void {
    const count = Math.min(rows.length, this.rows);
    const base = this.#base(table);
    this.#floats[base / 8] = publication;
    this.#ints[base / 4 + 2] = count;
    const f = (base + TABLE_HEADER_BYTES) / 8;
    const i = (base + TABLE_HEADER_BYTES + 24 * this.rows) / 4;
    for (let n = 0; n < count; n++) {
      const row = rows[n]!;
      this.#floats[f + n] = row.first;
      this.#floats[f + this.rows + n] = row.last;
      this.#floats[f + 2 * this.rows + n] = row.offset;
      this.#ints[i + n] = row.block;
      this.#ints[i + this.rows + n] = (row.store ? ROW_STORE : 0) | (row.dirtyMask << DIRTY_SHIFT);
    }
  }

  /** The number that no other publication has; 0 for the empty table. */
  publication(table: number): number {
    return this.#floats[this.#base(table) / 8]!;
  }

  count(table: number): number {
    return this.#ints[this.#base(table) / 4 + 2]!;
  }

  /** The row that covers `addr`, or -1. */
  find(table: number, addr: number): number {
    const base = this.#base(table);
    const firsts = (base + TABLE_HEADER_BYTES) / 8;
    let lo = 0;
    let hi = this.#ints[base / 4 + 2]! - 1;
    while (lo <= hi) {
      const mid = (lo + hi) >>> 1;
      if (addr < this.#floats[firsts + mid]!) hi = mid - 1;
      else if (addr > this.#floats[firsts + this.rows + mid]!) lo = mid + 1;
      else return mid;
    }
    return -1;
  }

  first(table: number, row: number): number {
    return this.#floats[(this.#base(table) + TABLE_HEADER_BYTES) / 8 + row]!;
  }
  last(table: number, row: number): number {
    return this.#floats[(this.#base(table) + TABLE_HEADER_BYTES) / 8 + this.rows + row]!;
  }
  offset(table: number, row: number): number {
    return this.#floats[(this.#base(table) + TABLE_HEADER_BYTES) / 8 + 2 * this.rows + row]!;
  }
  block(table: number, row: number): number {
    return this.#ints[(this.#base(table) + TABLE_HEADER_BYTES + 24 * this.rows) / 4 + row]!;
  }
  stores(table: number, row: number): boolean {
    return (this.#flags(table, row) & ROW_STORE) !== 0;
  }
  dirtyMask(table: number, row: number): number {
    return (this.#flags(table, row) >>> DIRTY_SHIFT) & 0xff;
  }

  #flags(table: number, row: number): number {
    return this.#ints[(this.#base(table) + TABLE_HEADER_BYTES + 24 * this.rows) / 4 + this.rows + row]!;
  }

  #base(table: number): number {
    return HEADER_BYTES + table * tableBytes(this.rows);
  }
}

function tableBytes(rows: number): number {
  return TABLE_HEADER_BYTES + Math.ceil((rows * ROW_BYTES) / 64) * 64 + 48;
}

function bad(): WorkerError {
  return new WorkerError('bad-handle', 'this SharedArrayBuffer holds no tables of a shared address space');
}
