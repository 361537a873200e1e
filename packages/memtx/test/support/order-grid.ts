/**
 * The grid of A-275 as a suite for any TxMemory: {RAM, little, big, native device} x {little, big target} x {le, be,
 * native, bytes} x 1, 2, 4, 8 bytes x load, store, transfer. What must come out is computed on strings of hex digits and
 * on nothing else, so that no code under test has a say in it.
 */

import * as memtx from '@guestmem/memtx';
import { memTxView, nativeCodecs, type TxMemory } from '@guestmem/memtx';
import type { ByteOrder, GuestAddress, ScalarCodec } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';

/** Where a row of the grid lands. */
export type GridPlace = 'ram' | 'little' | 'big' | 'native';

/** One callback of a device. `value`: the device's number. */
export interface GridCall {
  readonly op: 'read' | 'write';
  readonly offset: number;
  readonly size: number;
  readonly value: bigint;
}

/** A machine to run the grid on. Devices are arrays of at least 64 bytes that take 1, 2, 4 and 8 bytes at aligned offsets. */
export interface GridSubject {
  readonly memory: TxMemory;
  /** First address of each place, a multiple of 8; leave out what the backend does not have. */
  readonly at: Readonly<Partial<Record<GridPlace, GuestAddress>>>;
  /** Device callbacks since the last time it was asked. Leave out where there are no devices. */
  takeCalls?(): readonly GridCall[];
}

const PLACES: readonly GridPlace[] = ['ram', 'little', 'big', 'native'];
const TARGETS: readonly ByteOrder[] = ['little', 'big'];
const CALLERS = ['le', 'be', 'native', 'bytes'] as const;
const SIZES = [1, 2, 4, 8] as const;
/** Every byte differs, the top bit is set, and the halves are no safe integer together: what is lost or swapped shows. */
const DIGITS = 'f1e2d3c4b5a69788';
/** For the codecs that show 64 bits as a number: the same, cut to a safe integer. */
const SAFE_DIGITS = '0012d3c4b5a69788';

/** Defines the suite. `make` is called once per row, with the target's order. */
export function orderGrid(name: string, make: (target: ByteOrder) => GridSubject): void {
  describe(`A-275 over ${name}`, () => {
    for (const target of TARGETS)
      for (const place of PLACES)
        for (const caller of CALLERS)
          for (const size of SIZES) {
            defineRow({ make, target, place, caller, size, digits: DIGITS.slice(0, 2 * size) });
            if (size === 8 && caller !== 'bytes') defineRow({ make, target, place, caller, size, digits: SAFE_DIGITS });
          }
  });
}

interface Row {
  readonly make: (target: ByteOrder) => GridSubject;
  readonly target: ByteOrder;
  readonly place: GridPlace;
  readonly caller: (typeof CALLERS)[number];
  readonly size: (typeof SIZES)[number];
  /** The caller's number; for `bytes` the bytes themselves. */
  readonly digits: string;
}

function defineRow({ make, target, place, caller, size, digits }: Row): void {
  const subject = make(target);
  const addr = subject.at[place];
  if (addr === undefined) return;
  const title = `${caller} ${size} bytes (${digits}), ${place === 'ram' ? 'RAM' : `${place} device`}, ${target} target`;
  const callerOrder = caller === 'native' ? target : caller === 'be' ? 'big' : 'little';
  /** The string of A-16: ascending addresses. For `bytes` the digits are the string. */
  const string = caller === 'bytes' || callerOrder === 'big' ? digits : swapDigits(digits);
  const deviceOrder = place === 'native' ? target : place;
  const deviceNumber = BigInt(`0x${deviceOrder === 'little' ? swapDigits(string) : string}`);
  const device = place === 'ram' ? [] : [{ offset: 0, size, value: deviceNumber }];
  const took = (op: 'read' | 'write', calls = subject.takeCalls?.() ?? []): void =>
    expect(calls.map(({ offset, size, value, op }) => ({ op, offset, size, value }))).toEqual(
      device.map((call) => ({ op, ...call })),
    );
  const view = memTxView(subject.memory, { order: target });
  const readBytes = (): string => {
    const bytes = new Uint8Array(size);
    view.readSlice(bytes, addr);
    return toDigits(bytes);
  };

  if (caller === 'bytes') {
    it(`A-17: transfer, ${title}`, () => {
      subject.takeCalls?.();
      view.writeSlice(fromDigits(string), addr);
      took('write');
      expect(readBytes()).toBe(string);
      took('read');
    });
    return;
  }

  for (const { label, codec, value } of codecsOf(caller, size, target, digits)) {
    it(`A-16: store ${label}, ${title}`, () => {
      subject.takeCalls?.();
      view.store(addr, codec, value);
      took('write');
      expect(readBytes()).toBe(string);
    });
    it(`A-16: load ${label}, ${title}`, () => {
      view.writeSlice(fromDigits(string), addr);
      subject.takeCalls?.();
      expect(copyOf(view.load(addr, codec))).toEqual(value);
      took('read');
    });
    it(`A-17: writeObj and readObj ${label}, ${title}`, () => {
      subject.takeCalls?.();
      view.writeObj(addr, codec, value);
      took('write');
      expect(readBytes()).toBe(string);
      subject.takeCalls?.();
      expect(copyOf(view.readObj(addr, codec))).toEqual(value);
      took('read');
    });
  }

  it(`A-273: short names, ${title}`, () => {
    const bound = memTxView(subject.memory, { order: callerOrder });
    const number = BigInt(`0x${digits}`);
    subject.takeCalls?.();
    if (size === 1) bound.stb(addr, Number(number));
    else if (size === 2) bound.stw(addr, Number(number));
    else if (size === 4) bound.stl(addr, Number(number));
    else bound.stq(addr, number);
    took('write');
    expect(readBytes()).toBe(string);
    subject.takeCalls?.();
    const loaded =
      size === 1 ? bound.ldub(addr) : size === 2 ? bound.lduw(addr) : size === 4 ? bound.ldl(addr) : bound.ldq(addr);
    expect(BigInt(loaded)).toBe(number);
    took('read');
  });
}

interface CodecRow {
  readonly label: string;
  readonly codec: ScalarCodec<unknown>;
  readonly value: unknown;
}

/** The codecs of a row that can hold its number, each with that number as the codec shows it. */
function codecsOf(caller: 'le' | 'be' | 'native', size: number, target: ByteOrder, digits: string): CodecRow[] {
  const value = BigInt(`0x${digits}`);
  const signed = BigInt.asIntN(size * 8, value);
  const native = nativeCodecs(target) as unknown as Readonly<Record<string, ScalarCodec<unknown>>>;
  const named = memtx as unknown as Readonly<Record<string, ScalarCodec<unknown>>>;
  const row = (label: string, codec: ScalarCodec<unknown> | undefined, shown: unknown): CodecRow[] =>
    codec === undefined ? [] : [{ label, codec, value: shown }];
  if (size === 1)
    return [
      ...row('u8', memtx.u8 as ScalarCodec<unknown>, Number(value)),
      ...row('i8', memtx.i8 as ScalarCodec<unknown>, Number(signed)),
    ];
  const bits = size * 8;
  const name = caller === 'native' ? `u${bits}` : `${caller}${bits}`;
  const signedName = caller === 'native' ? `i${bits}` : `${caller}${bits}s`;
  const from = caller === 'native' ? native : named;
  const order = caller === 'native' ? target : caller === 'be' ? 'big' : 'little';
  if (size < 8) return [...row(name, from[name], Number(value)), ...row(signedName, from[signedName], Number(signed))];
  const numberNames = caller === 'native' ? ['u64n', 'i64n'] : [`${caller}64n`, `${caller}64sn`];
  const numberRows = numberNames.flatMap((name) => row(name, from[name], Number(value)));
  const halves = {
    lo: Number.parseInt(digits.slice(8), 16),
    hi: Number.parseInt(digits.slice(0, 8), 16),
  };
  return [
    ...row(name, from[name], value),
    ...row(signedName, from[signedName], signed),
    ...(value <= Number.MAX_SAFE_INTEGER ? numberRows : []),
    ...row('halves', memtx.halvesCodec(order) as unknown as ScalarCodec<unknown>, halves),
  ];
}

/** Halves are a pair that the next load overwrites, and an object of a class. */
function copyOf(value: unknown): unknown {
  return typeof value === 'object' ? { ...value } : value;
}

function swapDigits(digits: string): string {
  return (digits.match(/../g) ?? []).reverse().join('');
}

function toDigits(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromDigits(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
