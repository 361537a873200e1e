/**
 * Hot. What a look-up answers with: a stretch of addresses that one window of host memory, one device, one IOMMU or
 * nothing answers for. One class for all of them, so that the access paths see one shape. A RAM section is one slot where
 * one buffer of at most 4 GiB holds it, several otherwise.
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import type { GuestAddress } from '@guestmem/vm-memory';
import { DirtyClient } from '../dirty/client.ts';
import { markMask, markRegion } from '../dirty/mark.ts';
import type { PageIommu } from '../iommu/page-iommu.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import type { RegionDispatch } from './region-dispatch.ts';

/** Who answers. */
export const SlotKind = { HOLE: 0, RAM: 1, DEVICE: 2, IOMMU: 3 } as const;
export type SlotKind = (typeof SlotKind)[keyof typeof SlotKind];

const NO_VIEW = new DataView(new ArrayBuffer(0));
const NO_BYTES = new Uint8Array(0);

/** One stretch. Made by ViewMap; immutable. */
export class Slot {
  /** First address; Infinity from 2^53 on, where a slot is made for one access and starts at its address. */
  readonly first: number;
  /** Addresses it answers for from `first` on; at most 2^32 for RAM. */
  readonly len: number;
  /** `len` where loads may go straight to `view`, else 0. */
  readonly loadLen: number;
  /** `len` where stores may go straight to `view`, else 0: read-only, a ROM device, tapped, or no RAM. */
  readonly storeLen: number;
  /**
   * For the fast paths, small integers always (the others may be Infinity, which makes them doubles): the bits of `first`;
   * of RAM that begins below 2^32, at how many offsets from 0 on a load and a store of 8 bytes may begin and end below it; of
   * a hole or a device that begins there, how many addresses it is from there on, at most 2^31. 0 where there is no such thing.
   */
  readonly bits: number;
  readonly loads: number;
  readonly stores: number;
  readonly span: number;
  /** Offset of `first` in the region, of a device with a span. */
  readonly deviceOffset: number;
  /** Offset 0 is `first`. Empty for everything but RAM. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** `bytes.buffer` and `bytes.byteOffset`, which are calls. */
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  /** `core.logStamp` when it was made: later stamps may mark for other clients. */
  readonly logStamp: number;
  /** Clients whose pages a store marks, those in force when it was made (T-24); 0 for none. */
  readonly dirtyMask: number;
  /** Page states of the block from the page of `first` on, empty when `dirtyMask` is 0. */
  readonly pages: Uint8Array;
  /** Offset of `first` in the block. */
  readonly blockOffset: number;
  readonly pageShift: number;
  /** May a page be marked by a plain store: nobody shares the states, and no code is to be invalidated? */
  readonly marksPlainly: boolean;
  /** Offset of `first` in its page. */
  readonly pageSkew: number;
  readonly kind: SlotKind;
  /** The page tables of an IOMMU that has them; null for everything else. */
  readonly pageIommu: PageIommu | null;
  readonly section: MemoryRegionSection;
  readonly dispatch: RegionDispatch;
  /** Offset of `first` in the region. From 2^53 on it is not exact and `exact` is false. */
  readonly offset: number;
  readonly exact: boolean;
  readonly bigOffset: bigint;
  /** Is an access cut at the section's end: RAM, ROM, RAM device? */
  readonly clamps: boolean;
  /** Addresses from `first` to the section's end; `len` may be less. */
  readonly tail: number;

  constructor(init: {
    readonly first: number;
    readonly len: number;
    readonly kind: SlotKind;
    readonly section: MemoryRegionSection;
    readonly offset: bigint;
    readonly view?: DataView;
    readonly bytes?: Uint8Array;
    readonly load?: boolean;
    readonly store?: boolean;
    /** Most that `span` may be (default: anything). */
    readonly span?: number;
  }) {
    const { section, len } = init;
    const ram = init.kind === SlotKind.RAM ? section.region.ram : null;
    this.first = init.first;
    this.len = len;
    this.loadLen = init.load === true ? len : 0;
    this.storeLen = init.store === true ? len : 0;
    const isLow = init.first < 2 ** 32;
    this.bits = isLow ? init.first | 0 : 0;
    const below = isLow ? Math.min(len, 2 ** 32 - init.first, 2 ** 31) : 0;
    const starts = init.kind === SlotKind.RAM ? Math.max(below - 7, 0) : 0;
    this.loads = this.loadLen === 0 ? 0 : starts;
    this.stores = this.storeLen === 0 ? 0 : starts;
    const isDevice = init.kind === SlotKind.DEVICE && below === len && init.offset + BigInt(len) <= 0x7fff_ffffn;
    this.span = isDevice || init.kind === SlotKind.HOLE ? Math.min(below, 0x7fff_ffff, init.span ?? below) : 0;
    this.deviceOffset = isDevice ? Number(init.offset) : 0;
    this.view = init.view ?? NO_VIEW;
    this.bytes = init.bytes ?? NO_BYTES;
    this.buffer = this.bytes.buffer;
    this.byteOffset = this.bytes.byteOffset;
    this.logStamp = section.region.core.logStamp;
    this.dirtyMask = ram === null ? 0 : markMask(section.region);
    this.blockOffset = ram === null ? 0 : Number(init.offset);
    this.pageShift = ram === null ? 0 : ram.dirty.pageShift;
    this.pageSkew = ram === null ? 0 : this.blockOffset % ram.dirty.pageSize;
    this.marksPlainly = ram !== null && !ram.dirty.shared && (this.dirtyMask & (1 << DirtyClient.CODE)) === 0;
    this.pages =
      ram === null || this.dirtyMask === 0
        ? NO_BYTES
        : ram.dirty.states.subarray((this.blockOffset - this.pageSkew) / ram.dirty.pageSize);
    this.kind = init.kind;
    this.pageIommu = section.region.iommu?.pages ?? null;
    this.section = section;
    this.dispatch = section.region.dispatch;
    this.offset = Number(init.offset);
    this.exact = Number.isSafeInteger(this.offset + len - 1);
    this.bigOffset = init.offset;
    this.clamps = section.region.isRam;
    this.tail = Number(section.offsetWithinRegion + section.size - init.offset);
  }

  /** The region's offset at `at`, exactly. */
  offsetAt(at: number): GuestAddress {
    if (this.exact) return this.offset + at;
    const offset = this.bigOffset + BigInt(at);
    return offset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(offset) : offset;
  }

  /** A number with the alignment of the offset at `at`, 0 only for offset 0. */
  alignmentAt(at: number): number {
    if (this.exact) return this.offset + at;
    return Number(BigInt.asUintN(4, this.bigOffset + BigInt(at))) + 16;
  }

  /** May a write with these attributes go to the bytes? A debugger's may, into ROM too, but not past a ROM device's callbacks. */
  takesWrites(attrs: MemTxAttrs): boolean {
    return this.section.directWrite || (attrs.debug && this.section.directRead);
  }

  /** Marks the pages of `len` bytes at `at`, for the clients that the section has. The data is in place already. */
  markDirty(at: number, len: number): void {
    const page = (at + this.pageSkew) >>> this.pageShift;
    const last = (at + this.pageSkew + len - 1) >>> this.pageShift;
    if (page === last) {
      const state = this.pages[page]!;
      if ((state & this.dirtyMask) === this.dirtyMask) return;
      if (this.marksPlainly) {
        this.pages[page] = state | this.dirtyMask;
        return;
      }
    }
    this.markSlow(at, len);
  }

  /** Marks for the clients in force now: `markDirty` for several pages or a clean one, and where the slot was kept for long. */
  markSlow(at: number, len: number): void {
    const { region } = this.section;
    if (this.dirtyMask !== 0 || this.logStamp !== region.core.logStamp) markRegion(region, this.blockOffset + at, len);
  }

  /**
   * `len` bytes from `at` on, with or without the fast paths. Those of a device are for aligned accesses; what they take begins
   * where an access of 8 bytes would end in the part, so that none of its bytes is another part's.
   */
  part(at: number, len: number, fast: boolean): Slot {
    const rest = Number((this.bigOffset + BigInt(at + len)) % 8n);
    return new Slot({
      first: this.first + at,
      len,
      kind: this.kind,
      section: this.section,
      offset: this.bigOffset + BigInt(at),
      span: fast && this.kind === SlotKind.DEVICE ? Math.max(len - rest, 0) : 0,
      ...(this.kind === SlotKind.RAM
        ? {
            view: new DataView(this.bytes.buffer, this.bytes.byteOffset + at, len),
            bytes: this.bytes.subarray(at, at + len),
            load: fast && this.loadLen !== 0,
            store: fast && this.storeLen !== 0,
          }
        : {}),
    });
  }
}
