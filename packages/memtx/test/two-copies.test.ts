/** A program may hold this package twice: two versions of it, or one installed twice. */
import { attributed, le32, type MemTxAttrsFields, memTxAttrs, memTxView } from '@guestmem/memtx';
import { guestMemory } from '@guestmem/vm-memory';
import { expect, it, vi } from 'vitest';

vi.resetModules();
const theirs = await import('@guestmem/memtx');

const view = memTxView(attributed(guestMemory([{ startAddr: 0, memory: 0x100 }])));

it('A-251: a MemTx of another copy is refused, not taken for attributes', () => {
  const tx = new theirs.MemTx();
  const refused = /fields of a MemTx .* this copy of @guestmem\/memtx.*npm ls/;
  expect(() => view.load(0x8000, le32, tx)).toThrow(refused); // a MemTxError before: what the guest did wrong became an exception
  tx.result = theirs.MemTxResult.DECODE_ERROR;
  expect(() => view.load(0, le32, tx)).toThrow(refused); // and this loaded with the attribute `result`
  expect(() => view.store(0, le32, 1, tx)).toThrow(refused);
  expect(() => view.read(new Uint8Array(4), 0, tx)).toThrow(refused);
  expect(() => view.load(0, le32, { tx })).toThrow(refused);
  expect(() => view.with({ tx })).toThrow(refused);
  expect(view.load(0, le32)).toBe(0);
});

it('A-251: attributes of another copy say what they are', () => {
  const attrs = theirs.memTxAttrs({ pid: 3 });
  expect(() => view.load(0, le32, attrs)).toThrow(
    /fields of a MemTxAttrs .* this copy's memTxAttrs, or install one copy/,
  );
});

it('A-2: attributes that a program calls `result` and `done` are attributes', () => {
  const fields = { result: 1, done: 2 } as MemTxAttrsFields;
  const attrs = memTxAttrs(fields);
  expect(attrs.own).toEqual({ done: 2, result: 1 });
  expect(memTxAttrs(attrs.toFields())).toBe(attrs);
  expect(view.with(fields).attrs.own).toEqual(attrs.own);
});
