import { memTxAttrs } from '@guestmem/memtx';

declare module '@guestmem/memtx' {
  interface MemTxAttrsFields {
    worldId?: number;
  }
}
export const a: number | undefined = memTxAttrs({ worldId: 3 }).worldId;
