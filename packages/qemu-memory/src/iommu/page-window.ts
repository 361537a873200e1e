/**
 * Cached pages of a PageIommu as a window of RAM: while most accesses through an IOMMU meet one page, scalar accesses reach it as they reach RAM (access/hot-windows.ts). What it saw may change without the
 * look-up that holds it being replaced (the model forgets or learns a page, the target space shows another view), so each
 * change closes all windows of the model at once. One index only: the windows do not ask for attributes.
 */
import type { HotWindows } from '../access/hot-windows.ts';
import { Slot, SlotKind } from '../access/slot.ts';
import type { ViewAccess } from '../access/view-access.ts';
import { IommuAccess } from './iommu-ops.ts';
import type { PageIommu } from './page-iommu.ts';
import { PageTable } from './page-table.ts';

/** More windows than this are made anew rather than kept. */
const KEPT = 64;

/** The windows on the pages of one model, and who holds them. */
export class PageWindows {
  readonly #target: ViewAccess;
  /** For the target, which may be of a core that outlives this model's. */
  readonly #weak: WeakRef<PageWindows> = new WeakRef(this);
  readonly #holders = new Set<HotWindows>();
  readonly #made = new Map<string, Slot>();
  #table: PageTable | null = null;
  #unfollow: (() => void) | null = null;
  /** The offsets that any window may cover: first, and end. */
  #first = Number.POSITIVE_INFINITY;
  #end = 0;

  /** @param target the space behind the model. */
  constructor(target: ViewAccess) {
    this.#target = target;
  }

  /** Takes all windows back; the accesses that follow translate again. */
  close(): void {
    if (this.#unfollow === null) return;
    this.#unfollow();
    this.#unfollow = null;
    for (const holder of this.#holders) holder.forgetWindows();
    this.#holders.clear();
    this.#made.clear();
    this.#table?.clear();
    this.#first = Number.POSITIVE_INFINITY;
    this.#end = 0;
  }

  /** The page at `offset` of the model is cached anew, perhaps as something else. */
  relearn(offset: number): void {
    this.#table?.forget(offset);
    if (offset >= this.#first && offset < this.#end) this.close();
  }

  /** The table of pages that lead into the RAM at `behind`, for `holder`; null while another piece of RAM has it. */
  tableOf(model: PageIommu, behind: Slot, holder: HotWindows): PageTable | null {
    this.#hold(holder);
    this.#table ??= new PageTable(model.pageMask, model.entries);
    return this.#table.leadsTo(behind) ? this.#table : null;
  }

  #hold(holder: HotWindows): void {
    if (this.#holders.size >= KEPT) this.close();
    this.#unfollow ??= follow(this.#target, this.#weak);
    this.#holders.add(holder);
  }

  /** The window at `first` on the page at `offset` of the model, made by `make` where it is not kept, for `holder`. */
  open(first: number, offset: number, size: number, holder: HotWindows, make: () => Slot): Slot {
    if (this.#made.size >= KEPT) this.close();
    this.#hold(holder);
    if (offset < this.#first) this.#first = offset;
    if (offset + size > this.#end) this.#end = offset + size;
    const key = `${first} ${offset}`;
    let window = this.#made.get(key);
    if (window === undefined || window.logStamp !== window.section.region.core.logStamp) {
      window = make();
      this.#made.set(key, window);
    }
    return window;
  }
}

/** Closes the windows when `target` shows something else. Holds nothing of them, and ends when they are gone. */
function follow(target: ViewAccess, windows: WeakRef<PageWindows>): () => void {
  const end = target.follow(() => {
    const known = windows.deref();
    if (known === undefined) end();
    else known.close();
  });
  return end;
}

/**
 * The cached page of the offset `iova` of the IOMMU at `slot`, as addresses of its space; null where there can be no window.
 * One page, however many lie side by side: an access over the edge of a page is two translations.
 * @param holder who will hold it.
 */
export function pageWindow(slot: Slot, iova: number, holder: HotWindows): Slot | null {
  const lead = leadOf(slot, iova);
  if (lead === null) return null;
  const { model, page, behind, there } = lead;
  if (there < 0 || there + model.pageMask >= behind.len) return null;
  const size = model.pageMask + 1;
  // A device may lie over a part of the page, or the region end in it.
  if (page < slot.offset || page + size > slot.offset + slot.len) return null;
  const first = slot.first + (page - slot.offset);
  return model.windows.open(first, page, size, holder, () => {
    const perm = model.allows(page);
    return new Slot({
      first,
      len: size,
      kind: SlotKind.RAM,
      section: behind.section,
      offset: behind.bigOffset + BigInt(there),
      view: new DataView(behind.bytes.buffer, behind.bytes.byteOffset + there, size),
      bytes: behind.bytes.subarray(there, there + size),
      load: (perm & IommuAccess.RO) !== 0,
      store: (perm & IommuAccess.WO) !== 0 && behind.storeLen !== 0,
    });
  });
}

/**
 * The table of the pages of the IOMMU at `slot` that lead into the RAM that the offset `iova` leads into; null where there
 * can be none. @param holder who will hold it.
 */
export function pageTable(slot: Slot, iova: number, holder: HotWindows): PageTable | null {
  const lead = leadOf(slot, iova);
  if (lead === null || lead.model.pageMask < 3 || lead.behind.len > 0x7fff_ffff) return null;
  return lead.model.windows.tableOf(lead.model, lead.behind, holder);
}

/** Where the cached page of `iova` leads, when that is RAM that loads may reach; null otherwise. */
function leadOf(slot: Slot, iova: number) {
  const model = slot.pageIommu;
  if (model === null || model.numIndexes() !== 1) return null;
  const page = iova - (iova % (model.pageMask + 1));
  const target = model.targetOf(page);
  if (target < 0) return null;
  const behind = model.targetAs.map.slotAt(target);
  if (behind.kind !== SlotKind.RAM || behind.loadLen === 0) return null;
  return { model, page, behind, there: target - behind.first };
}
