/**
 * The dirty log of an accelerator, kept by listener callbacks alone: guest writes go past the space, and only the first one
 * to a page is seen, until logClear has the page trap again. T-117, T-138, T-139.
 */
import { type AddressSpace, type MemoryRegionSection, setDirtyLebitmap } from '@guestmem/qemu-memory';

/** RAM that the guest reaches; pages are of the section. */
export interface AcceleratorSlot {
  readonly section: MemoryRegionSection;
  /** Clients that it is logged for. */
  mask: number;
  /** Written since the page was armed: takes writes unseen. */
  readonly open: Set<number>;
  /** Of these, those that no logSync has reported. */
  readonly fresh: Set<number>;
}

/** The slots of one space, and what the guest wrote to them. */
export class AcceleratorLog {
  readonly slots: AcceleratorSlot[] = [];
  readonly #repeats: boolean;

  /** @param repeats does logSync report a page again and again, until logClear? */
  constructor(space: AddressSpace, repeats = false) {
    this.#repeats = repeats;
    space.registerListener({
      regionAdd: (section) => {
        if (section.region.ram === null) return;
        this.slots.push({ section, mask: section.dirtyMask, open: new Set(), fresh: new Set() });
      },
      regionDel: (section) => {
        if (section.region.ram === null) return;
        const slot = this.#slotOf(section);
        if (slot.mask !== 0) this.#report(slot);
        this.slots.splice(this.slots.indexOf(slot), 1);
      },
      logStart: (section, old, mask) => {
        const slot = this.#slotOf(section);
        if (old === 0) for (const pages of [slot.open, slot.fresh]) pages.clear();
        slot.mask = mask;
      },
      logStop: (section, _old, mask) => {
        const slot = this.#slotOf(section);
        this.#report(slot);
        slot.mask = mask;
      },
      logSync: (section) => this.#report(this.#slotOf(section)),
      logClear: (part) => this.#arm(this.#slotOf(part), part),
    });
  }

  /** The guest stores `value` at the start of a page. @returns is it logged? */
  write(slot: AcceleratorSlot, page: number, value: number): boolean {
    const { region, offsetWithinRegion } = slot.section;
    const offset = Number(offsetWithinRegion) + page * region.core.pageSize;
    const { start, bytes } = region.ram!.backing.segmentAt(offset);
    bytes[offset - start] = value;
    if (slot.mask === 0) return false;
    if (!slot.open.has(page)) slot.fresh.add(page);
    slot.open.add(page);
    return true;
  }

  #slotOf({ offsetWithinAddressSpace: at }: MemoryRegionSection): AcceleratorSlot {
    return this.slots.find(({ section }) => section.offsetWithinAddressSpace <= at && at <= section.last)!;
  }

  #report({ section, open, fresh }: AcceleratorSlot): void {
    const { region, offsetWithinRegion, size } = section;
    const bitmap = new Uint8Array(Math.ceil(Number(size) / region.core.pageSize / 8));
    for (const page of this.#repeats ? open : fresh) bitmap[page >> 3]! |= 1 << (page & 7);
    setDirtyLebitmap(region, Number(offsetWithinRegion), bitmap, region.core.globalDirtyFlags !== 0);
    fresh.clear();
  }

  /** What is not reported yet stays as it is. */
  #arm({ section, open, fresh }: AcceleratorSlot, part: MemoryRegionSection): void {
    const { pageSize } = section.region.core;
    const first = Number(part.offsetWithinRegion - section.offsetWithinRegion) / pageSize;
    for (let page = first; page < first + Number(part.size) / pageSize; page++) if (!fresh.has(page)) open.delete(page);
  }
}
