// Made from README.md, section "Attributes", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { MEMTXATTRS_UNSPECIFIED, memTxAttrs, mergeMemTxAttrs } from '@guestmem/memtx';

const attrs = memTxAttrs({ requesterId: 0x20, secure: true });
expect(attrs === memTxAttrs({ secure: true, requesterId: 0x20 })).toEqual(true);
expect(attrs.pid).toEqual(0);

// "Nobody gave any" is not "deliberately none".
expect(MEMTXATTRS_UNSPECIFIED === memTxAttrs({})).toEqual(false);

// Merging goes field by field. Any field clears `unspecified`, unless you say that one too.
expect(mergeMemTxAttrs(attrs, { pid: 5, secure: false }).toFields()).toEqual({ requesterId: 0x20, pid: 5 });
expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { user: true }).unspecified).toEqual(false);
expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { debug: true, unspecified: true }).unspecified).toEqual(true);

declare module '@guestmem/memtx' {
  interface MemTxAttrsFields {
    /** RISC-V WorldGuard. */
    worldId?: number;
  }
}

expect(memTxAttrs({ worldId: 3 }).worldId).toEqual(3);
expect(memTxAttrs({ worldId: 3 }) === memTxAttrs({ worldId: 3, user: false })).toEqual(true);
