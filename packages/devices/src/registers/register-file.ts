/**
 * The registers of one device, made from a map: decoding, masks, narrow and spanning accesses, side effects, `peek`, typed values
 * and fields, saved state. Little-endian within a register; the byte order of the region is an option.
 */
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import { type DeviceEvents, NO_EVENTS } from '../events.ts';
import { StateReader } from '../state-error.ts';
import {
  checkValue,
  defineRegisters,
  type FieldName,
  type FieldSpec,
  type RegisterMap,
  type RegisterSpec,
  type RegisterValue,
} from './register-spec.ts';

/** Side effects of one register. All optional; `this` is not used. */
export interface RegisterHooks<V> {
  /** Computes what is read, for a register that is not storage. No side effect: `peek` calls it too. */
  get?(): V;
  /** After a guest read `value`. Never called by `peek`. */
  onRead?(value: V): void;
  /** After a guest's write. `value` is stored already, `old` was before, `written` is what the guest wrote, masks not applied. */
  onWrite?(value: V, old: V, written: V): void;
}

/** Hooks by register name. */
export type RegisterHooksOf<M extends RegisterMap> = { readonly [K in keyof M]?: RegisterHooks<RegisterValue<M[K]>> };

/** Options of a register file. */
export interface RegisterFileOptions {
  /** Bytes of the region. Default: to the end of the last register. */
  readonly size?: number;
  /** Default `little`. */
  readonly endianness?: 'little' | 'big' | 'native';
  /** Smallest and largest access that the device takes, in bytes. Default 1 and 4; 8 lets a 64-bit register be read whole. */
  readonly minAccessSize?: 1 | 2 | 4;
  readonly maxAccessSize?: 1 | 2 | 4 | 8;
  /** Counts reads and writes where no register is. */
  readonly events?: DeviceEvents;
  /** Names the device in events. Default `device`. */
  readonly name?: string;
}

/** Hooks with the type of their register forgotten: a wide register's get bigints, the others' numbers. */
type AnyHooks = RegisterHooks<number> | RegisterHooks<bigint>;

/** One register as it is stored: two unsigned 32-bit halves. */
interface Cell {
  readonly spec: RegisterSpec;
  readonly bytes: number;
  readonly wide: boolean;
  readonly writeLo: number;
  readonly writeHi: number;
  readonly clearLo: number;
  readonly clearHi: number;
  readonly hooks: AnyHooks;
  lo: number;
  hi: number;
}

/** The registers of one device. Map `ops` with a region of `size` bytes. */
export class RegisterFile<const M extends RegisterMap> {
  /** Bytes, to the end of the last register or as the options say. */
  readonly size: number;
  /** The callbacks of the region. `peek` calls no hook but `get`. */
  readonly ops: MemoryRegionOps;
  readonly #cells = new Map<string, Cell>();
  /** By byte of the region. */
  readonly #at: (Cell | undefined)[];
  readonly #events: DeviceEvents;
  readonly #name: string;

  /** @throws {RangeError | TypeError} as `defineRegisters`. @throws {RangeError} hooks of a register that the map does not have. */
  constructor(map: M, hooks: RegisterHooksOf<M> = {}, options: RegisterFileOptions = {}) {
    this.#events = options.events ?? NO_EVENTS;
    this.#name = options.name ?? 'device';
    checkHooks(map, hooks);
    let end = 0;
    for (const [name, spec] of Object.entries<RegisterSpec>(defineRegisters(map))) {
      this.#cells.set(name, makeCell(spec, (hooks[name] ?? {}) as AnyHooks));
      end = Math.max(end, spec.offset + spec.width / 8);
    }
    this.size = options.size ?? end;
    this.#at = new Array(this.size).fill(undefined);
    for (const cell of this.#cells.values()) this.#at.fill(cell, cell.spec.offset, cell.spec.offset + cell.bytes);
    const sizes = { minAccessSize: options.minAccessSize ?? 1, maxAccessSize: options.maxAccessSize ?? 4 };
    this.ops = {
      endianness: options.endianness ?? 'little',
      valid: sizes,
      impl: sizes,
      read: (offset, size) => this.#read(offset, size, true),
      write: (offset, value, size) => this.#write(offset, size, value, 0),
      read64: (offset) => this.#read64(offset, true),
      write64: (offset, value) => this.#write(offset, 8, Number(value & 0xffff_ffffn), Number(value >> 32n)),
      peek: (offset, size) => (size === 8 ? this.#read64(offset, false) : this.#read(offset, size, false)),
    };
  }

  /** The register's value, as `peek` sees it. @throws {RangeError} there is no such register. */
  get<K extends keyof M & string>(name: K): RegisterValue<M[K]> {
    return cellValue(this.#cell(name)) as RegisterValue<M[K]>;
  }

  /**
   * Sets a register from the device's side: no mask, no hook.
   *
   * @throws {RangeError} there is no such register, or `value` does not fit it.
   * @throws {TypeError} not a number, or for 64 bits not a bigint.
   */
  set<K extends keyof M & string>(name: K, value: RegisterValue<M[K]>): void {
    const cell = this.#cell(name);
    checkValue(value, cell.spec.width, `register ${name}`);
    store(cell, value);
  }

  /** A field's value. @throws {RangeError} there is no such register or field. */
  field<K extends keyof M & string>(name: K, field: FieldName<M[K]>): number {
    const cell = this.#cell(name);
    const { shift, bits = 1 } = fieldOf(cell.spec, name, field);
    return Number(BigInt.asUintN(bits, BigInt(cellValue(cell)) >> BigInt(shift)));
  }

  /**
   * Sets a field from the device's side; the rest of the register stays.
   *
   * @throws {RangeError} there is no such register or field, or `value` does not fit it.
   * @throws {TypeError} not a number.
   */
  setField<K extends keyof M & string>(name: K, field: FieldName<M[K]>, value: number): void {
    const cell = this.#cell(name);
    const { shift, bits = 1 } = fieldOf(cell.spec, name, field);
    checkValue(value, bits, `field ${name}.${field}`);
    const mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift);
    const now = (BigInt(cellValue(cell)) & ~mask) | (BigInt(value) << BigInt(shift));
    store(cell, cell.wide ? now : Number(now));
  }

  /** Every register to its reset value. */
  reset(): void {
    for (const cell of this.#cells.values()) store(cell, cell.spec.reset ?? 0);
  }

  /** Every stored value by name, as hex strings; computed registers are left out. */
  state(): Readonly<Record<string, string>> {
    const stored = [...this.#cells].filter(([, { hooks }]) => hooks.get === undefined);
    return Object.fromEntries(stored.map(([name, cell]) => [name, `0x${cellValue(cell).toString(16)}`]));
  }

  /** Takes a state, as `state()` gave it. @throws {DeviceStateError} a register is missing or too large; nothing was changed. */
  restore(state: unknown): void {
    const from = new StateReader(this.#name, state);
    const values = [...this.#cells]
      .filter(([, { hooks }]) => hooks.get === undefined)
      .map(([name, cell]) => [cell, from.unsigned(name, cell.spec.width)] as const);
    for (const [cell, value] of values) store(cell, value);
  }

  #cell(name: string): Cell {
    const cell = this.#cells.get(name);
    if (cell === undefined)
      throw new RangeError(`${this.#name} has no register ${name}; it has ${[...this.#cells.keys()].join(', ')}`);
    return cell;
  }

  #read(offset: number, size: number, guest: boolean): number {
    const cell = this.#at[offset];
    if (cell === undefined || cell.bytes !== size || cell.spec.offset !== offset)
      return Number(this.#readParts(offset, size, guest));
    const { get, onRead } = cell.hooks as RegisterHooks<number>;
    const value = get === undefined ? cell.lo : get();
    if (guest && onRead !== undefined) onRead(value);
    return value;
  }

  #read64(offset: number, guest: boolean): bigint {
    return this.#readParts(offset, 8, guest);
  }

  /** A part of a register, or several: each is read once, in the order of addresses. */
  #readParts(offset: number, size: number, guest: boolean): bigint {
    let result = 0n;
    for (let at = offset; at < offset + size; ) {
      const cell = this.#at[at];
      if (cell === undefined) {
        at = this.#skip(at, offset + size, guest ? 'read' : null);
        continue;
      }
      const value = cellValue(cell);
      const { onRead } = cell.hooks as unknown as RegisterHooks<number | bigint>;
      if (guest) onRead?.(value);
      const start = cell.spec.offset;
      const bits = (BigInt(value) >> BigInt(8 * (at - start))) << BigInt(8 * (at - offset));
      result |= bits;
      at = start + cell.bytes;
    }
    return BigInt.asUintN(8 * size, result);
  }

  /** Each register that the access touches is written once; bytes of it that the access leaves out keep their bits. */
  #write(offset: number, size: number, lo: number, hi: number): void {
    const written = (BigInt(hi) << 32n) | BigInt(lo);
    for (let at = offset; at < offset + size; ) {
      const cell = this.#at[at];
      if (cell === undefined) {
        at = this.#skip(at, offset + size, 'write');
        continue;
      }
      const start = cell.spec.offset;
      const end = Math.min(start + cell.bytes, offset + size);
      if (cell.bytes === size && start === offset) writeCell(cell, lo, hi, ALL, ALL);
      else {
        const mask = ((1n << BigInt(8 * (end - at))) - 1n) << BigInt(8 * (at - start));
        const value = ((written >> BigInt(8 * (at - offset))) << BigInt(8 * (at - start))) & mask;
        writeCell(cell, low(value), high(value), low(mask), high(mask));
      }
      at = start + cell.bytes;
    }
  }

  /** Goes over bytes without a register, counted once. @returns where the next one begins. */
  #skip(from: number, end: number, access: 'read' | 'write' | null): number {
    if (access !== null) this.#events.count(`${this.#name}: ${access === 'read' ? 'read of' : 'write to'} no register`);
    let at = from;
    while (at < end && this.#at[at] === undefined) at++;
    return at;
  }
}

const ALL = 0xffff_ffff;

/** Hooks that no register has would never be called. */
function checkHooks(map: RegisterMap, hooks: object): void {
  for (const name of Object.keys(hooks))
    if (!Object.hasOwn(map, name))
      throw new RangeError(`there are hooks for a register ${name}; the map has ${Object.keys(map).join(', ')}`);
}

function makeCell(spec: RegisterSpec, hooks: AnyHooks): Cell {
  const write = BigInt(spec.write ?? 0);
  const clear = BigInt(spec.clear ?? 0);
  const reset = BigInt(spec.reset ?? 0);
  return {
    spec,
    bytes: spec.width / 8,
    wide: spec.width === 64,
    writeLo: low(write),
    writeHi: high(write),
    clearLo: low(clear),
    clearHi: high(clear),
    hooks,
    lo: low(reset),
    hi: high(reset),
  };
}

function writeCell(cell: Cell, lo: number, hi: number, maskLo: number, maskHi: number): void {
  const old = cellValue(cell);
  const setLo = cell.writeLo & maskLo;
  cell.lo = (((cell.lo & ~setLo) | (lo & setLo)) & ~(lo & cell.clearLo & maskLo)) >>> 0;
  const setHi = cell.writeHi & maskHi;
  cell.hi = (((cell.hi & ~setHi) | (hi & setHi)) & ~(hi & cell.clearHi & maskHi)) >>> 0;
  const { onWrite } = cell.hooks as unknown as RegisterHooks<number | bigint>;
  onWrite?.(cellValue(cell), old, cell.wide ? (BigInt(hi) << 32n) | BigInt(lo) : lo);
}

function cellValue(cell: Cell): number | bigint {
  const { get } = cell.hooks as unknown as RegisterHooks<number | bigint>;
  if (get !== undefined) return get();
  return cell.wide ? (BigInt(cell.hi) << 32n) | BigInt(cell.lo) : cell.lo;
}

function fieldOf(spec: RegisterSpec, name: string, field: string): FieldSpec {
  const found = spec.fields?.[field];
  if (found === undefined)
    throw new RangeError(
      `register ${name} has no field ${field}; it has ${Object.keys(spec.fields ?? {}).join(', ') || 'none'}`,
    );
  return found;
}

/** `value` fits: whoever hands one in from outside checks it. */
function store(cell: Cell, value: number | bigint): void {
  const bits = BigInt(value);
  cell.lo = low(bits);
  cell.hi = high(bits);
}

function low(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

function high(value: bigint): number {
  return Number(BigInt.asUintN(32, value >> 32n));
}
