/**
 * Objects in RAM as it lies, at once or through one cached page of a PageIommu: what a struct accessor asks for field by field, where
 * a transfer in bulk would cost some 500 ns. What is not so simple is left to the transfer. T-97, A-152, A-153.
 */
import { MEMTXATTRS_UNSPECIFIED, NOT_DIRECT } from '@guestmem/memtx';
import { type Codec, ScalarCodec } from '@guestmem/vm-memory';
import { IommuAccess } from '../iommu/iommu-ops.ts';
import { type Slot, SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

/** The object at `addr`, which the IOMMU at `slot` answers. */
export function readInPage<T>(map: ViewMap, slot: Slot, addr: number, codec: Codec<T>): T | typeof NOT_DIRECT {
  const next = translated(map, slot, addr, codec.size, IommuAccess.RO);
  if (next < 0) return NOT_DIRECT;
  const behind = slot.pageIommu!.targetAs.map.slotAt(next);
  const at = next - behind.first;
  if (at + codec.size > behind.loadLen) return NOT_DIRECT;
  // A device that reads its rings by struct accessors alone would open no window otherwise: 52 ns a field instead of 13.
  map.metIommu(slot, slot.offset + (addr - slot.first));
  return codec.get(behind.view, at);
}

/** Writes the object, of a codec that refuses a value before half of it is written. @returns was it written? */
export function writeInPage<T>(map: ViewMap, slot: Slot, addr: number, codec: Codec<T>, value: T): boolean {
  const next = translated(map, slot, addr, codec.size, IommuAccess.WO);
  if (next < 0) return false;
  const behind = slot.pageIommu!.targetAs.map.slotAt(next);
  const at = next - behind.first;
  if (at + codec.size > behind.storeLen) return false;
  writeInPlace(behind, at, codec, value);
  return true;
}

/**
 * Writes an object into the RAM of `slot` as it lies, and marks it. Getters of the value are part of the access: what they take out
 * of the map is not reclaimed before it is written (T-97).
 */
export function writeInPlace<T>(slot: Slot, at: number, codec: Codec<T>, value: T): void {
  if (codec instanceof ScalarCodec) {
    codec.set(slot.view, at, value);
    if (slot.dirtyMask !== 0) slot.markDirty(at, codec.size);
    return;
  }
  const { control } = slot.dispatch;
  control.transfers++;
  try {
    codec.set(slot.view, at, value);
  } finally {
    control.transfers--;
  }
  slot.markSlow(at, codec.size); // For the clients in force now.
}

/** Where a cached page has all of it with `access`, the same for all attributes; else -1. */
function translated(map: ViewMap, slot: Slot, addr: number, size: number, access: IommuAccess): number {
  const model = slot.pageIommu;
  if (slot.kind !== SlotKind.IOMMU || model === null || !slot.exact || map.taps !== null || map.control.seesLoads)
    return -1;
  const iova = slot.offset + (addr - slot.first);
  if (model.numIndexes() !== 1 || model.pageRoom(iova) < size) return -1;
  return model.hit(iova, access, MEMTXATTRS_UNSPECIFIED);
}
