/**
 * The helpers that QEMU's RFC of August 2025 wanted for language bindings, under their names, with its defects mended:
 * exclusive end in `sectionCoversRegionAddr`, section offsets named as such, the bus address for the fuzz hook, an order in
 * every load and store, retry instead of panic..
 */
import { type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import {
  badNumber,
  checkBuffer,
  type GuestAddress,
  GuestMemoryError,
  hex,
  type ScalarCodec,
  toAddress,
  toBigAddress,
} from '@guestmem/vm-memory';
import { RegionKind } from '../region/kind.ts';
import type { AddressSpace } from '../space/address-space.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import { readStep, writeStep } from './bulk.ts';
import { type AccessMode, isDirect, isWriteMode } from './chunks.ts';
import type { AccessControl } from './control.ts';
import { blockHolds, gather, loadDispatched, scatter, storeDispatched } from './scalar.ts';
import type { Slot } from './slot.ts';
import { Target, translate } from './target.ts';
import type { ViewAccess } from './view-access.ts';
import { slotOfOffset } from './view-map.ts';

/** What `flatviewTranslateSection` found. */
export interface TranslatedSection {
  /** Never null: a hole, and an IOMMU that refuses, answer with the section of `core.unassigned`. */
  readonly section: MemoryRegionSection;
  /** Offset in the section's region; in a hole the address, after a refusal the offset in the IOMMU region. */
  readonly offset: GuestAddress;
  /** Bytes that belong together there. */
  readonly length: number;
}

/** The current view, without a reference: it stays usable, but its regions may end. */
export function addressSpaceToFlatview(space: ViewAccess): FlatView {
  return space.view;
}

/**
 * The current view with a reference; unref it. A space holds its view until the next is in its place, so in its own
 * agent there is nothing to try again. @throws {MemoryRegionError} `disposed`.
 */
export function addressSpaceGetFlatview(space: ViewAccess): FlatView {
  return space.getFlatView();
}

/** One more reference, unless the view is being destroyed. */
export function flatviewRef(view: FlatView): boolean {
  return view.ref();
}

/** One reference less; the last one lets the view be reclaimed after a grace period. */
export function flatviewUnref(view: FlatView): void {
  view.unref();
}

/** The section that covers `addr`, or the one of `core.unassigned`; IOMMUs are not translated. */
export function addressSpaceLookupSection(space: ViewAccess, addr: GuestAddress): MemoryRegionSection {
  const at = toAddress(addr);
  return (typeof at === 'bigint' ? space.map.slotAtBig(at) : space.map.slotAt(at)).section;
}

/** Where an access of `len` bytes at `addr` ends up, through IOMMUs. @param space an address space, or a pinned view. */
export function flatviewTranslateSection(
  space: ViewAccess,
  addr: GuestAddress,
  len: number,
  mode: AccessMode,
  attrs: MemTxAttrs,
): TranslatedSection {
  const { target } = space.map;
  translate(space.map, toAddress(addr), len, isWriteMode(mode), attrs, target);
  const { slot, at, length } = target;
  return { section: slot.section, offset: slot.offsetAt(at), length };
}

/** May an access with these attributes go there: `attrs.memory` wants RAM? */
export function sectionAccessAllowed(section: MemoryRegionSection, attrs: MemTxAttrs): boolean {
  return !attrs.memory || section.region.isRam;
}

/** Does the section show `offset` of its region? The end is not part of it. */
export function sectionCoversRegionAddr(section: MemoryRegionSection, offset: GuestAddress): boolean {
  const at = toBigAddress(offset, 'offset') - section.offsetWithinRegion;
  return at >= 0n && at < section.size;
}

/**
 * The host memory from `sectionOffset` to the section's end, or to the end of the host buffer.
 *
 * @throws {GuestMemoryError} `host-address-not-available`: the region has no RAM block, or the offset is outside of it or the section.
 */
export function sectionGetHostAddr(section: MemoryRegionSection, sectionOffset: GuestAddress): Uint8Array {
  const at = toBigAddress(sectionOffset, 'section offset');
  const { ram, kind } = section.region;
  const isIn = ram !== null && at < section.size && at + section.offsetWithinRegion < BigInt(ram.length);
  if (!isIn || kind === RegionKind.RAM_DEVICE)
    throw new GuestMemoryError(
      'host-address-not-available',
      `section of "${section.region.name}" has no host memory at section offset ${hex(at)}`,
      { addr: sectionOffset },
    );
  const { slot, target } = stepTarget(section, at + section.offsetWithinRegion, 1);
  return slot.bytes.subarray(target.at);
}

/** Tells the observer that `len` bytes at bus address `addr` are about to be read from the section. */
export function sectionFuzzDmaRead(section: MemoryRegionSection, addr: GuestAddress, len: number): void {
  const { observer } = section.region.core.access;
  if (observer !== null) observer.dmaRead?.(addr, len, section.region);
}

/**
 * Exactly one step of a read at region offset `offset`: into `buf`, at most `len` bytes.
 *
 * @param tx its `result` and `done` are set; with ACCESS_ERROR nothing is done and `buf` is untouched.
 * @returns bytes consumed: those of `done`, and those of a refused step, which read as zeros.
 */
export function sectionReadContinueStep(
  section: MemoryRegionSection,
  attrs: MemTxAttrs,
  buf: Uint8Array,
  len: number,
  offset: GuestAddress,
  tx: MemTx,
): number {
  return step(section, attrs, buf, len, offset, tx, false);
}

/** As `sectionReadContinueStep`, writing. */
export function sectionWriteContinueStep(
  section: MemoryRegionSection,
  attrs: MemTxAttrs,
  buf: Uint8Array,
  len: number,
  offset: GuestAddress,
  tx: MemTx,
): number {
  return step(section, attrs, buf, len, offset, tx, true);
}

/** One load at region offset `offset`, never split; no translation, no test of `attrs.memory`. Sets `tx.result`. */
export function sectionLoad<T>(
  section: MemoryRegionSection,
  offset: GuestAddress,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx,
): T {
  const { slot, target, control } = stepTarget(section, toBigAddress(offset, 'offset'), codec.size);
  let value: T;
  let result: number = MemTxResult.OK;
  if (isDirect(slot, false, attrs) && target.at + codec.size <= slot.len) value = codec.get(slot.view, target.at);
  else if (isDirect(slot, false, attrs) && blockHolds(slot, target.at, codec.size, target.length)) {
    gather(slot, target.at, codec.size, control);
    value = codec.get(control.scratch, 0);
  } else {
    loadDispatched(control, slot, target.at, target.offset, codec, attrs);
    value = codec.get(control.scratch, 0);
    result = control.result;
  }
  tx.result = result;
  tx.done = result === MemTxResult.OK ? codec.size : 0;
  return value;
}

/** One store, as `sectionLoad`; RAM is marked dirty. */
export function sectionStore<T>(
  section: MemoryRegionSection,
  offset: GuestAddress,
  codec: ScalarCodec<T>,
  value: T,
  attrs: MemTxAttrs,
  tx: MemTx,
): void {
  const { slot, target, control } = stepTarget(section, toBigAddress(offset, 'offset'), codec.size);
  let result: number = MemTxResult.OK;
  if (isDirect(slot, true, attrs) && target.at + codec.size <= slot.len) {
    codec.set(slot.view, target.at, value);
    slot.markSlow(target.at, codec.size);
  } else if (isDirect(slot, true, attrs) && blockHolds(slot, target.at, codec.size, target.length)) {
    codec.set(control.scratch, 0, value);
    scatter(slot, target.at, codec.size, control);
    slot.markSlow(target.at, codec.size);
  } else {
    storeDispatched(control, slot, target.at, target.offset, codec, value, attrs);
    result = control.result;
  }
  tx.result = result;
  tx.done = result === MemTxResult.OK ? codec.size : 0;
}

/** The global system memory space, which here belongs to a machine (A-125, D6). */
export function addressSpaceMemory(core: MemoryCore): AddressSpace {
  return core.system.memory;
}

/** Is the machine's target big-endian? Needed only for `native` codecs: see `nativeCodecs` of memtx. */
export function targetIsBigEndian(core: MemoryCore): boolean {
  return core.targetOrder === 'big';
}

function step(
  section: MemoryRegionSection,
  attrs: MemTxAttrs,
  buf: Uint8Array,
  len: number,
  offset: GuestAddress,
  tx: MemTx,
  isWrite: boolean,
): number {
  checkBuffer(buf);
  if (!Number.isInteger(len) || len < 1 || len > buf.length)
    throw badNumber(`a step takes 1 to ${buf.length} bytes here`, len);
  if (!sectionAccessAllowed(section, attrs)) {
    tx.result = MemTxResult.ACCESS_ERROR;
    tx.done = 0;
    return 0;
  }
  const { target, control } = stepTarget(section, toBigAddress(offset, 'offset'), len);
  const bytes = len === buf.length ? buf : buf.subarray(0, len);
  const size = isWrite ? writeStep(control, target, bytes, 0, attrs) : readStep(control, target, bytes, 0, attrs);
  const { result } = control;
  tx.result = result;
  tx.done = result === MemTxResult.OK ? size : 0;
  return size;
}

/** A step's place without a look-up. A target of its own: helpers are not the hot path. */
function stepTarget(
  section: MemoryRegionSection,
  offset: bigint,
  len: number,
): { slot: Slot; target: Target; control: AccessControl } {
  const slot = slotOfOffset(section, offset);
  const target = new Target(slot);
  target.at = Number(offset - slot.bigOffset);
  target.offset = Number(offset);
  target.length = slot.clamps ? Math.min(len, slot.tail - target.at) : len;
  return { slot, target, control: section.region.core.access };
}
