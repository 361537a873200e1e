/** A program may hold this package twice: two versions of it, or one installed twice. Codecs are handed from one to the other. */
import { expect, it, vi } from 'vitest';
import * as ours from '../src/index.ts';

vi.resetModules();
const theirs = await import('../src/index.ts');

it('V-1.2: scalar codecs of another copy are aligned and ordered as our own', () => {
  expect(theirs.u32).not.toBe(ours.u32);
  const { u8, u16, u32, inOrder } = theirs;
  const mixed = ours.struct({ a: u8, b: u32, c: u16, d: inOrder(u16, 'little') }, { order: 'big' });
  expect([mixed.size, mixed.offsetOf('b'), mixed.offsetOf('c'), mixed.offsetOf('d')]).toEqual([12, 4, 8, 10]);
  expect([...ours.toBytes(mixed, { a: 1, b: 2, c: 3, d: 4 })]).toEqual([1, 0, 0, 0, 0, 0, 0, 2, 0, 3, 4, 0]);
  expect([ours.array(u32, 3).align, ours.struct({ a: u8, list: ours.array(u16, 2) }).size]).toEqual([4, 6]);
  const refused = { a: 1, b: 2, c: 0x1_0000, d: 4 };
  const bytes = new Uint8Array(12);
  expect(() => mixed.set(new DataView(bytes.buffer), 0, refused)).toThrow(/\.c: u16.be takes integers/);
  expect([...bytes]).toEqual(new Array(12).fill(0));
});

it('V-1.2: an accessor reaches into structs and arrays of another copy', () => {
  const inner = theirs.struct({ x: theirs.u16 });
  const outer = ours.struct({ inner, list: theirs.array(theirs.u16, 2) }, { order: 'big' });
  const memory = ours.guestMemory([{ startAddr: 0, memory: 16 }]);
  const live = outer.accessor(memory, 0);
  live.inner.x = 0x1234;
  live.list.set(1, 0x5678);
  expect(live.$load('inner')).toEqual({ x: 0x1234 });
  const bytes = new Uint8Array(6);
  memory.readSlice(bytes, 0);
  expect([...bytes]).toEqual([0x12, 0x34, 0, 0, 0x56, 0x78]);
});
