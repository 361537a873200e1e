/**
 * Objects through one cached page of a PageIommu, with RAM behind it: what a struct accessor asks for field by field, where a
 * transfer in bulk would cost some 500 ns. What is not so simple is left to the transfer..
 */
import { MEMTXATTRS_UNSPECIFIED, NOT_DIRECT } from '@guestmem/memtx';
import { type Codec, ScalarCodec, setScalar } from '@guestmem/vm-memory';
import { IommuAccess } from '../iommu/iommu-ops.ts';
import { type Slot, SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

/** The object at `addr`, which the IOMMU at `slot` answers. */
export function readInPage<T>(map: ViewMap, slot: Slot, addr: number, codec: Codec<T>): T | typeof NOT_DIRECT {
  const next = translated(map, slot, addr, codec.size, IommuAccess.RO);
  if (next < 0) return NOT_DIRECT;
  const behind = slot.pageIommu!.targetAs.map.slotAt(next);
  const at = next - behind.first;
  // For a ROM device attributes count.
  return behind.clamps && at + codec.size <= behind.loadLen ? codec.get(behind.view, at) : NOT_DIRECT;
}

/** Writes the object, of a codec that refuses a value before half of it is written. @returns was it written? */
export function writeInPage<T>(map: ViewMap, slot: Slot, addr: number, codec: Codec<T>, value: T): boolean {
  const next = translated(map, slot, addr, codec.size, IommuAccess.WO);
  if (next < 0) return false;
  const behind = slot.pageIommu!.targetAs.map.slotAt(next);
  const at = next - behind.first;
  if (at + codec.size > behind.storeLen) return false;
  if (codec instanceof ScalarCodec) setScalar(behind.view, at, codec, value);
  else codec.set(behind.view, at, value);
  if (behind.dirtyMask !== 0) behind.markDirty(at, codec.size);
  return true;
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
