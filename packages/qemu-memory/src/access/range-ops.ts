/** What is done to a range beside reading and writing it: fill, write ROM, ask whether it could be accessed, translate.. */
import { MemTx, type MemTxAttrs, MemTxError, MemTxResult } from '@guestmem/memtx';
import { badNumber, checkBuffer, checkCount, type GuestAddress, toAddress } from '@guestmem/vm-memory';
import { IommuAccess, type IommuTlbEntry } from '../iommu/iommu-ops.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { advance, copyIn, directLength, fillInRam, transfer } from './bulk.ts';
import { isDirect } from './chunks.ts';
import { DeviceError } from './device-error.ts';
import { isOut } from './scalar.ts';
import { type Slot, SlotKind } from './slot.ts';
import { translate } from './target.ts';
import type { ViewAccess } from './view-access.ts';
import type { ViewMap } from './view-map.ts';

const FILL_CHUNK = 512;

/** @throws {TypeError | RangeError} what a range is filled with is no byte. */
export function checkFillByte(byte: number): void {
  if (!Number.isInteger(byte) || byte < 0 || byte > 255) throw badNumber('a fill byte must be in 0 to 255', byte);
}

/** bulk writes of at most 512 bytes, each with the view that is current then. */
export function fillRange(
  space: ViewAccess,
  addr: GuestAddress,
  byte: number,
  len: number,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): void {
  checkFillByte(byte);
  if (fillInRam(space.map, addr, byte, checkCount(len, 'length'))) {
    if (tx !== null) {
      tx.result = MemTxResult.OK;
      tx.done = len;
    }
    return;
  }
  const chunk = new Uint8Array(Math.min(len, FILL_CHUNK)).fill(byte);
  const step = new MemTx();
  let at = toAddress(addr);
  let result: number = MemTxResult.OK;
  let done = -1;
  for (let pos = 0; pos < len; ) {
    const size = Math.min(FILL_CHUNK, len - pos);
    const part = size === FILL_CHUNK ? chunk : chunk.subarray(0, size);
    try {
      transfer(space.core, space.map, at, part, true, attrs, false, step);
    } catch (error) {
      if (tx !== null) {
        tx.result = (result | step.result) >>> 0;
        tx.done = done < 0 ? pos + step.done : done;
      }
      throw error;
    }
    if (step.result !== MemTxResult.OK && done < 0) done = pos + step.done;
    result |= step.result;
    pos += size;
    at = advance(at, size);
  }
  const completed = done < 0 ? len : done;
  if (tx !== null) {
    tx.result = result >>> 0;
    tx.done = completed;
  } else if (result !== MemTxResult.OK) throw new MemTxError('set', result >>> 0, { addr, expected: len, completed });
}

/** RAM, ROM and ROM devices in ROMD mode are written and marked dirty, everything else is passed over. */
export function writeRomRange(map: ViewMap, start: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs): void {
  checkBuffer(buf);
  let addr = toAddress(start);
  for (let pos = 0; pos < buf.length; ) {
    translate(map, addr, buf.length - pos, true, attrs, map.target);
    const { slot, at, length } = map.target;
    let size: number;
    if (slot.kind === SlotKind.RAM && slot.section.directRead && at < slot.len) {
      size = directLength(slot, at, length);
      copyIn(slot, at, buf, pos, size);
      slot.markSlow(at, size);
    } else
      size =
        slot.kind === SlotKind.HOLE
          ? holeStep(slot.len - at, length)
          : slot.dispatch.accessSize(slot.alignmentAt(at), length);
    pos += size;
    addr = advance(addr, size);
  }
}

/** A-84, with A-66's use of the bus address. Calls `accepts` and IOMMUs, no data callback. */
export function rangeIsValid(
  map: ViewMap,
  start: GuestAddress,
  len: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
): boolean {
  let addr = toAddress(start);
  for (let left = checkCount(len, 'length'); left > 0; ) {
    translate(map, addr, left, isWrite, attrs, map.target);
    const { slot, at, offset, length } = map.target;
    let size: number;
    if (isDirect(slot, isWrite, attrs) && at < slot.len) size = Math.min(length, slot.len - at);
    else {
      size = slot.dispatch.accessSize(alignmentOf(addr), length);
      if (!accepts(slot, offset, size, isWrite, attrs)) return false;
      size = alike(slot, at, size, length);
    }
    left -= size;
    addr = advance(addr, size);
  }
  return true;
}

/**
 * Bytes of the steps that are answered as the one of `size` at `at` was: of a region with no `accepts` to ask, all that are as large
 * as its steps get, to the end of the slot or of the IOMMU's page. A guest chooses the length (D10).
 */
function alike({ dispatch, exact, len }: Slot, at: number, size: number, length: number): number {
  if (dispatch.hasAccepts || !exact || size < (dispatch.validMax || 4)) return size;
  const room = Math.min(length, len - at);
  return Math.max(room - (room % size), size);
}

/** Would the first step of a transfer of `len` bytes (1 and more) be let through? As `rangeIsValid`. */
export function firstStepIsValid(
  map: ViewMap,
  start: GuestAddress,
  len: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
): boolean {
  translate(map, start, len, isWrite, attrs, map.target);
  const { slot, at, offset, length } = map.target;
  if (isDirect(slot, isWrite, attrs) && at < slot.len) return true;
  return accepts(slot, offset, slot.dispatch.accessSize(slot.alignmentAt(at), length), isWrite, attrs);
}

/** A-31, for a region that is not direct. @throws {DeviceError} its `accepts` threw. */
function accepts(slot: Slot, offset: number, size: number, isWrite: boolean, attrs: MemTxAttrs): boolean {
  if (isOut(slot, offset)) return false;
  try {
    return slot.dispatch.accessValid(offset, size, isWrite, attrs);
  } catch (cause) {
    throw cause instanceof DeviceError ? cause : new DeviceError(slot.section.region, offset, size, isWrite, cause);
  }
}

/** is it anything else than RAM or a ROM device in ROMD mode? */
export function isIoAt(map: ViewMap, addr: GuestAddress, attrs: MemTxAttrs): boolean {
  translate(map, toAddress(addr), 1, false, attrs, map.target);
  const { region } = map.target.slot.section;
  return !(region.isRam || map.target.slot.section.directRead);
}

/** the whole chain as one entry; permission NONE when it fails. */
export function iotlbEntryAt(
  core: MemoryCore,
  space: ViewAccess,
  addr: GuestAddress,
  isWrite: boolean,
  attrs: MemTxAttrs,
): IommuTlbEntry {
  const start = toAddress(addr);
  const { map } = space;
  // So long that no cached part of a page will do: the page is told as the tables have it.
  translate(map, start, Number.MAX_SAFE_INTEGER, isWrite, attrs, map.target);
  const { slot, mask, addr: final, space: target } = map.target;
  if (slot.kind === SlotKind.HOLE)
    return { targetAs: space, iova: 0, translatedAddr: 0, addrMask: 0, perm: IommuAccess.NONE };
  const page = mask === -1 ? BigInt(core.pageSize - 1) : BigInt(mask);
  const base = (value: GuestAddress): GuestAddress => toAddress(BigInt(value) & ~page);
  return {
    targetAs: target ?? space,
    iova: base(start),
    translatedAddr: base(final),
    addrMask: toAddress(page),
    perm: IommuAccess.RW,
  };
}

/** A number with the low bits of `addr`, 0 only for 0: what `accessSize` looks at. */
function alignmentOf(addr: GuestAddress): number {
  return addr === 0 ? 0 : Number(BigInt.asUintN(4, BigInt(addr))) + 16;
}

function holeStep(room: number, length: number): number {
  return Math.min(length, Math.max(room, 1));
}
