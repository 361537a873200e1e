/** What `BytesBase` and `GuestMemoryBytes` make of the short forms and the slices of a program's own memory. V-1.2, V-1.8, D10. */
import { expect, it } from 'vitest';
import { BytesBase, GuestMemoryBytes, GuestMemorySlices, u32, u64, VolatileSlice } from '../src/index.ts';
import { fails } from './support/fails.ts';

/** Says of every transfer that it moved `answer` bytes. */
class Liar extends BytesBase {
  readonly #answer: number;
  constructor(answer: unknown) {
    super();
    this.#answer = answer as number;
  }
  read(): number {
    return this.#answer;
  }
  write(): number {
    return this.#answer;
  }
  load<T>(): T {
    return 0 as T;
  }
  store(): void {}
  readVolatileFrom(): number {
    return this.#answer;
  }
  writeVolatileTo(): number {
    return this.#answer;
  }
}

it.each([undefined, Number.NaN, 9, -1, 1.5, '8'])(
  'V-1.2: a memory of a program that answers %s for 8 bytes is refused by every exact form',
  (answer) => {
    const memory = new Liar(answer);
    const forms: readonly (() => unknown)[] = [
      () => memory.readSlice(new Uint8Array(8), 0x10),
      () => memory.writeSlice(new Uint8Array(8), 0x10),
      () => memory.readObj(0x10, u64),
      () => memory.writeObj(0x10, u64, 1n),
      () => memory.readExactVolatileFrom(0x10, { readVolatile: (into) => into.length }, 8),
      () => memory.writeAllVolatileTo(0x10, { writeVolatile: (from) => from.length }, 8),
    ];
    for (const form of forms)
      expect(fails(form)).toMatchObject({ code: 'callback-out-of-range', addr: 0x10, expected: 8, completed: 0 });
  },
);

/** Gives the 8 bytes around each address that is asked for, however few are asked for. */
class Generous extends GuestMemoryBytes {
  readonly bytes = new Uint8Array(64);
  checkRange(): boolean {
    return true;
  }
  getSlices(addr: number, len: number): GuestMemorySlices {
    let at = addr;
    return new GuestMemorySlices(() => {
      if (at >= addr + len) return undefined;
      const first = at & ~7;
      at = first + 8;
      return new VolatileSlice(this.bytes.subarray(first, first + 8));
    });
  }
  physicalMemory(): undefined {
    return undefined;
  }
}

it('V-1.8: slices that go past what was asked are refused, and nothing moves through them', () => {
  const memory = new Generous();
  const ones = { readVolatile: (into: Uint8Array) => into.fill(1).length };
  for (const form of [
    () => memory.read(new Uint8Array(4), 0),
    () => memory.write(Uint8Array.of(1, 1, 1, 1), 0),
    () => memory.readVolatileFrom(0, ones, 4),
    () => memory.readExactVolatileFrom(0, ones, 4),
    () => memory.writeVolatileTo(0, { writeVolatile: (from) => from.length }, 4),
    () => memory.writeObj(0, u32, 1),
  ])
    expect(form).toThrow('its slices must add up to what was asked');
  expect([...memory.bytes].every((byte) => byte === 0)).toBe(true);
  expect(memory.write(new Uint8Array(16).fill(2), 0)).toBe(16);
});
