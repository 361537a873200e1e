/** What `BytesBase` makes of the six short forms of a program's own memory. V-1.2, D10. */
import { expect, it } from 'vitest';
import { BytesBase, u64 } from '../src/index.ts';
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
