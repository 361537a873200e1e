/**
 * Hot. The core primitive: from an address to who answers there and how far, through IOMMUs too. Bulk transfers, scalar
 * accesses, mappings and the chunk iterator stand on it..
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import { type GuestAddress, hex, toAddress, toBigAddress } from '@guestmem/vm-memory';
import type { IommuTlbEntry } from '../iommu/iommu-ops.ts';
import type { PageIommu } from '../iommu/page-iommu.ts';
import { type AccessControl, MAX_NESTING } from './control.ts';
import { DeviceError } from './device-error.ts';
import { Slot, SlotKind } from './slot.ts';
import type { ViewAccess } from './view-access.ts';
import type { ViewMap } from './view-map.ts';

/** IOMMUs one access may pass, one behind the other; a cycle ends here and is refused. */
export const MAX_IOMMU_CHAIN = 16;

/** One step of an access. Filled by `translate` as its last act; read it before anything is called. */
export class Target {
  slot: Slot;
  /** Offset in the slot. */
  at = 0;
  /** Offset in the region; not exact from 2^53 on, where `slot.exact` is false. */
  offset = 0;
  /** Bytes that belong together: to the end of the section for RAM, of the page behind an IOMMU; else all that were asked for. */
  length = 0;
  /** Page size - 1, intersected over the chain; -1 when no IOMMU was passed. After a refusal the page that was refused, -1 if not known. */
  mask: GuestAddress = -1;
  /** The address in the final address space. */
  addr: GuestAddress = 0;
  /** The final address space; null for the one that was asked. */
  space: ViewAccess | null = null;
  /** The map of the final address space. */
  map: ViewMap | null = null;

  constructor(slot: Slot) {
    this.slot = slot;
  }
}

/** Translates `addr` for `len` (1 and more) bytes. Calls IOMMU models, nothing else. @throws {DeviceError} a model threw. */
export function translate(
  map: ViewMap,
  addr: GuestAddress,
  len: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
  out: Target,
): void {
  const big = typeof addr === 'bigint';
  const slot = big ? map.slotAtBig(addr) : map.slotAt(addr);
  const at = big ? 0 : addr - slot.first;
  if (slot.kind === SlotKind.IOMMU) {
    if (slot.pageIommu !== null && slot.exact && pageHit(slot.pageIommu, slot.offset + at, len, isWrite, attrs, out))
      return;
    translateChain(map, slot, at, len, isWrite, attrs, out);
    return;
  }
  out.slot = slot;
  out.at = at;
  out.offset = slot.offset + at;
  out.length = slot.clamps && slot.tail - at < len ? slot.tail - at : len;
  out.mask = -1;
  out.space = null;
  out.addr = addr;
  out.map = map;
}

/** Hot. One cached page of a PageIommu that leads to no further IOMMU: the common case, without entry, guard and loop. */
function pageHit(
  pages: PageIommu,
  offset: number,
  len: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
  out: Target,
): boolean {
  const next = pages.hit(offset, isWrite ? 2 : 1, attrs);
  if (next < 0) return false;
  const { map } = pages.targetAs;
  const slot = map.slotAt(next);
  if (slot.kind === SlotKind.IOMMU) return false;
  const at = next - slot.first;
  const room = pages.pageRoom(offset);
  if (len > room && pages.forgetPart(offset, len, attrs)) return false;
  let length = Math.min(len, room);
  if (slot.clamps && slot.tail - at < length) length = slot.tail - at;
  out.slot = slot;
  out.at = at;
  out.offset = slot.offset + at;
  out.length = length;
  out.mask = pages.pageMask;
  out.space = pages.targetAs;
  out.addr = next;
  out.map = map;
  return true;
}

function translateChain(
  firstMap: ViewMap,
  firstSlot: Slot,
  firstAt: number,
  len: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
  out: Target,
): void {
  const { control } = firstSlot.dispatch;
  let map = firstMap;
  let slot = firstSlot;
  let at = firstAt;
  let length = len;
  let mask: GuestAddress = -1;
  let next: GuestAddress = 0;
  let space: ViewAccess | null = null;
  for (let depth = 0; slot.kind === SlotKind.IOMMU; depth++) {
    const offset = slot.offsetAt(at);
    if (slot.pageIommu !== null && typeof offset === 'number') slot.pageIommu.forgetPart(offset, len, attrs);
    const entry = depth === MAX_IOMMU_CHAIN ? null : ask(control, slot, offset, isWrite, attrs);
    if (entry === null || (entry.perm & (isWrite ? 2 : 1)) === 0) {
      const pages = depth === 0 && typeof offset === 'number' ? slot.pageIommu : null;
      refuseTranslation(map, offset, length, pages === null ? -1 : pages.pageMask, out);
      return;
    }
    const page = entry.addrMask;
    if (
      typeof page === 'number' &&
      page >= 0 &&
      page <= 0xffff_ffff &&
      typeof offset === 'number' &&
      typeof entry.translatedAddr === 'number'
    ) {
      // `&` works on the low 32 bits of any safe integer, and the mask has no others.
      const low = (offset & page) >>> 0;
      next = entry.translatedAddr - ((entry.translatedAddr & page) >>> 0) + low;
      if (page - low < length) length = page - low + 1;
      if (typeof mask === 'number') mask = mask < 0 || page < mask ? page : mask;
      else mask = page;
    } else {
      const wide = BigInt(page);
      const low = BigInt(offset) & wide;
      next = toAddress((BigInt.asUintN(64, BigInt(entry.translatedAddr)) & ~wide) | low);
      if (wide - low < BigInt(length)) length = Number(wide - low) + 1;
      if (mask === -1 || wide < BigInt(mask)) mask = toAddress(wide);
    }
    space = entry.targetAs;
    map = space.map;
    const big = typeof next === 'bigint';
    slot = big ? map.slotAtBig(next as bigint) : map.slotAt(next as number);
    at = big ? 0 : (next as number) - slot.first;
    if (slot.clamps && slot.tail - at < length) length = slot.tail - at;
  }
  out.slot = slot;
  out.at = at;
  out.offset = slot.offset + at;
  out.length = length;
  out.mask = mask;
  out.space = space;
  out.addr = next;
  out.map = map;
}

/** Asks the model, with the nesting bounded (null) and exceptions named. */
function ask(
  control: AccessControl,
  slot: Slot,
  offset: GuestAddress,
  isWrite: boolean,
  attrs: MemTxAttrs,
): IommuTlbEntry | null {
  const iommu = slot.section.region.iommu!;
  if (control.depth >= MAX_NESTING) return null;
  const own = slot.dispatch.control; // The region's core: further down a chain it may be another one than the access began in.
  own.transfers++;
  control.depth++;
  try {
    const entry = iommu.ask(offset, isWrite ? 2 : 1, attrs);
    checkEntry(entry);
    return entry;
  } catch (cause) {
    throw new DeviceError(slot.section.region, offset, 0, isWrite, cause);
  } finally {
    control.depth--;
    own.transfers--;
  }
}

/** Models are programs: what they answer may be anything. @throws {TypeError | RangeError} no entry, or one that leads nowhere. */
function checkEntry(entry: IommuTlbEntry): void {
  if (typeof entry?.perm !== 'number')
    throw new TypeError(`translate must return an IommuTlbEntry with a perm, not ${String(entry)}`);
  if (entry.perm === 0) return;
  const { addrMask, targetAs, translatedAddr } = entry;
  if (typeof translatedAddr !== 'number' || !(translatedAddr >= 0) || !Number.isSafeInteger(translatedAddr))
    toAddress(translatedAddr, 'translatedAddr');
  if (typeof addrMask !== 'number' || !(addrMask >= 0) || !(addrMask <= 0xffff_ffff) || !isMask(addrMask))
    checkMask(addrMask);
  if (targetAs?.map === undefined) throw new TypeError('targetAs must be an AddressSpace or a pinned view');
}

/** Of integers of 32 bits; fractions are none. */
function isMask(mask: number): boolean {
  return (mask & (mask + 1)) === 0 && Math.floor(mask) === mask;
}

/** @throws {TypeError | RangeError} `mask` is not 2^k - 1. */
function checkMask(mask: GuestAddress): void {
  const wide = toBigAddress(mask, 'addrMask');
  if ((wide & (wide + 1n)) !== 0n) throw new RangeError(`addrMask must be 2^k - 1, not ${hex(mask)}`);
}

/** the unassigned region answers, at the offset inside the IOMMU region. */
function refuseTranslation(map: ViewMap, offset: GuestAddress, len: number, mask: number, out: Target): void {
  // Beyond 2^53 a slot of its own says exactly where: alignment cuts the steps.
  const exact = typeof offset === 'number';
  out.slot = exact
    ? map.refused
    : new Slot({ first: 0, len: 0, kind: SlotKind.HOLE, section: map.refused.section, offset });
  out.at = exact ? offset : 0;
  out.offset = Number(offset);
  out.length = len;
  out.mask = mask;
  out.space = null;
  out.addr = offset;
  out.map = map;
}
