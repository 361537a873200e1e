/**
 * Where plain memory can be reached without asking its region: one window per region, and a table that finds it by
 * address in a few steps. The collection's fast paths stand on this. Built once; windows of sparse regions move.
 */
import { type AtomicCells, cellsOf } from './atomic-access.ts';
import type { BackingSegment } from './backing.ts';
import type { Bitmap } from './bitmap.ts';
import { Permissions } from './permissions.ts';
import type { GuestMemoryRegion } from './region.ts';

/** No memory at all: what a window shows before its first use. */
const NO_SEGMENT: BackingSegment = {
  start: 0,
  bytes: /* @__PURE__ */ new Uint8Array(0),
  view: /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(0)),
};

/** [base, base + limit) of guest addresses is `view`, `bytes`. Never reaches past 2^53 - 1. */
export class Window {
  base = 0;
  /** Bytes that may be read; 0 while nothing is known. */
  readLimit = 0;
  /** Bytes that may be written. */
  writeLimit = 0;
  /** At how many offsets a scalar of any size may begin and be read, or written: at none of them does it end outside. */
  reads = 0;
  writes = 0;
  /**
   * For the table's shortest path: the base relative to the table's, and at how many offsets a scalar may be written without a mark: 0 unless the
   * window stands still, and never past 2^31, so that an unsigned difference below it is a proof.
   */
  rel = 0;
  free = 0;
  view: DataView = NO_SEGMENT.view;
  bytes: Uint8Array = NO_SEGMENT.bytes;
  /** Marked at `offset in window + bitmapBase`; null when nothing is tracked. */
  bitmap: Bitmap | null = null;
  bitmapBase = 0;

  private atomics: AtomicCells | null = null;

  /** For atomic accesses, by byte of the host buffer. */
  cells(): AtomicCells {
    if (this.atomics === null || this.atomics.buffer !== this.bytes.buffer) this.atomics = cellsOf(this.bytes.buffer);
    return this.atomics;
  }

  /** Shows `segment` of `region` from now on. The region's start must be a number. */
  show(region: GuestMemoryRegion, segment: BackingSegment): void {
    this.base = (region.startAddr as number) + segment.start;
    this.readLimit = region.permits(Permissions.READ) ? segment.bytes.length : 0;
    this.writeLimit = region.permits(Permissions.WRITE) ? segment.bytes.length : 0;
    this.reads = Math.max(this.readLimit - 7, 0);
    this.writes = Math.max(this.writeLimit - 7, 0);
    this.view = segment.view;
    this.bytes = segment.bytes;
    this.bitmap = region.bitmap;
    this.bitmapBase = segment.start;
  }
}

/** Can a window show this region? Only where all of its addresses are safe integers. */
export function hasNumbers(region: GuestMemoryRegion): boolean {
  return typeof region.startAddr === 'number' && typeof region.lastAddr === 'number';
}

/** A window for each region, those of one buffer shown already. */
export function makeWindows(regions: readonly GuestMemoryRegion[]): Window[] {
  return regions.map((region) => {
    const made = new Window();
    const segment = region.hostWhole();
    if (segment !== null && hasNumbers(region)) made.show(region, segment);
    return made;
  });
}

/** Finds a window: entry `(addr - base) >>> shift`, to be checked against the window's own limits. */
export interface WindowTable {
  readonly base: number;
  readonly shift: number;
  readonly entries: readonly Window[];
}

/**
 * The table over the first 4 GiB from the first region on: as coarse as the alignment of the regions allows, at most
 * `MAX_ENTRIES` long. An entry shows the first of the regions that it touches; whoever finds another there searches.
 */
export function makeWindowTable(regions: readonly GuestMemoryRegion[], windows: readonly Window[]): WindowTable {
  const base = Number(regions.find(hasNumbers)?.startAddr ?? 0);
  const near = regions.flatMap((region, index) => {
    const first = Number(region.startAddr) - base;
    const last = Math.min(Number(region.lastAddr) - base, 0xffff_ffff);
    return hasNumbers(region) && first <= 0xffff_ffff ? [{ first, last, window: windows[index]! }] : [];
  });
  const end = near.at(-1)?.last ?? 0;
  let shift = 0;
  while (Math.floor(end / 2 ** shift) >= MAX_ENTRIES) shift++;
  while (shift < 31 && near.every(({ first }) => first % 2 ** (shift + 1) === 0)) shift++;
  const none = new Window();
  const entries: Window[] = [none];
  for (let i = Math.floor(end / 2 ** shift); i > 0; i--) entries.push(none); // not new Array(n): one test less per access
  for (const { first, last, window } of near) {
    for (let i = Math.floor(first / 2 ** shift); i <= last / 2 ** shift; i++)
      if (entries[i] === none) entries[i] = window;
    window.rel = first;
    if (window.bitmap === null) window.free = Math.min(window.writes, 0x8000_0000); // 0 where nothing is shown yet
  }
  return { base, shift, entries };
}

/** 32 KiB of references. */
const MAX_ENTRIES = 4096;
