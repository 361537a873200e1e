/**
 * The translating side of an IOMMU region: asks the model, keeps the notifiers, replays. `region.iommu`.
 * Walking chains of IOMMUs is access/target.ts..
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import {
  badNumber,
  type DisposableHandle,
  disposable,
  type GuestAddress,
  hex,
  toAddress,
  toBigAddress,
} from '@guestmem/vm-memory';
import { throwCollected } from '../rcu/callback-queue.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { type IommuEvent, type IommuNotifier, IommuNotifierFlag } from './iommu-notifier.ts';
import { IommuAccess, type IommuMemoryRegionOps, type IommuTlbEntry } from './iommu-ops.ts';
import { PageIommu } from './page-iommu.ts';

/** One registration: a notifier that is registered twice is told twice, and goes one at a time. */
interface Registered {
  readonly notifier: IommuNotifier;
}

/** One IOMMU region's model and notifiers. */
export class IommuRegion {
  readonly region: MemoryRegion;
  readonly ops: IommuMemoryRegionOps;
  /** @internal The model when it is one of pages: then a hit needs no entry and no call through `ops`. */
  readonly pages: PageIommu | null;
  /** In QEMU's order: the last registered first. */
  #registered: readonly Registered[] = [];
  #flags = 0;

  constructor(region: MemoryRegion, ops: IommuMemoryRegionOps | null | undefined) {
    if (typeof ops?.translate !== 'function')
      throw new MemoryRegionError(
        'missing-callback',
        `IOMMU region "${region.name}" needs ops with a translate callback`,
      );
    this.region = region;
    this.ops = ops;
    this.pages = ops instanceof PageIommu ? ops : null;
  }

  /** Union of the notifiers' flags. */
  get notifierFlags(): number {
    return this.#flags;
  }

  /** */
  attrsToIndex(attrs: MemTxAttrs): number {
    const { ops } = this;
    return ops.attrsToIndex === undefined ? 0 : ops.attrsToIndex(attrs);
  }

  /** */
  numIndexes(): number {
    return this.ops.numIndexes?.() ?? 1;
  }

  /** @throws {RangeError} the model answers with what is no power of two. */
  minPageSize(): number {
    const bytes = this.ops.minPageSize?.() ?? this.region.core.pageSize;
    if (Number.isSafeInteger(bytes) && bytes >= 1 && (BigInt(bytes) & BigInt(bytes - 1)) === 0n) return bytes;
    throw new RangeError(
      `minPageSize of the model of IOMMU region "${this.region.name}" must be a power of two, not ${String(bytes)}`,
    );
  }

  /** One translation with these attributes. */
  ask(offset: GuestAddress, access: IommuAccess, attrs: MemTxAttrs): IommuTlbEntry {
    const { ops } = this;
    const index = ops.attrsToIndex === undefined ? 0 : ops.attrsToIndex(attrs);
    return ops.translate(offset, access, index);
  }

  /**
   * Adds a notifier. Dispose of the handle to take it out again.
   *
   * @throws {RangeError} no flags, start above end, or an index that the model does not have.
   * @throws {MemoryRegionError} `notifier-refused`: the model vetoed the new set of flags; nothing is registered.
   */
  register(notifier: IommuNotifier): DisposableHandle {
    const index = notifier.iommuIndex ?? 0;
    const start = toBigAddress(notifier.start, 'start');
    const end = toBigAddress(notifier.end, 'end');
    if (!(Number.isInteger(notifier.flags) && notifier.flags >= 1 && notifier.flags <= 7))
      throw badNumber('notifier flags must be one or more of UNMAP 1, MAP 2, DEVIOTLB_UNMAP 4', notifier.flags);
    if (start > end) throw new RangeError(`notifier start ${hex(start)} is above its end ${hex(end)}`);
    if (!Number.isInteger(index) || index < 0 || index >= this.numIndexes())
      throw badNumber(`an IOMMU index of region "${this.region.name}" must be 0 to ${this.numIndexes() - 1}`, index);
    const added: Registered = { notifier };
    this.#set([added, ...this.#registered]);
    return disposable(() => this.#remove(added));
  }

  /** Tells every notifier of `index`. @throws what they threw, when all have been told (AggregateError if several). */
  notify(index: number, event: IommuEvent): void {
    const errors: unknown[] = [];
    for (const { notifier } of this.#registered)
      try {
        if ((notifier.iommuIndex ?? 0) === index) notifyOne(notifier, event);
      } catch (error) {
        errors.push(error);
      }
    throwCollected(errors);
  }

  /** Tells `notifier` of all that is mapped now: the model's own way, or a walk by smallest pages. */
  replay(notifier: IommuNotifier): void {
    if (this.ops.replay !== undefined) {
      this.ops.replay(notifier);
      return;
    }
    const step = BigInt(this.minPageSize());
    const last = this.region.size - 1n;
    for (let offset = 0n; offset <= last; offset += step) {
      const entry = this.ops.translate(toAddress(offset), IommuAccess.NONE, notifier.iommuIndex ?? 0);
      if ((entry.perm & IommuAccess.RW) !== IommuAccess.NONE) notifier.notify({ ...entry }); // The model's own may change.
    }
  }

  /** The model is told, but cannot keep a notifier. */
  #remove(gone: Registered): void {
    const before = this.#flags;
    this.#registered = this.#registered.filter((each) => each !== gone);
    this.#flags = flagsOf(this.#registered);
    if (this.#flags !== before) this.ops.notifyFlagChanged?.(before, this.#flags);
  }

  #set(registered: readonly Registered[]): void {
    const before = this.#flags;
    const after = flagsOf(registered);
    if (after !== before && this.ops.notifyFlagChanged?.(before, after) === false)
      throw new MemoryRegionError(
        'notifier-refused',
        `the model of IOMMU region "${this.region.name}" does not take notifier flags ${after} (now ${before})`,
      );
    this.#flags = after;
    this.#registered = registered;
  }
}

function flagsOf(registered: readonly Registered[]): number {
  return registered.reduce((flags, { notifier }) => flags | notifier.flags, 0);
}

/** Delivers `event` to `notifier`, cropped to its range. */
export function notifyOne(notifier: IommuNotifier, event: IommuEvent): void {
  const { entry } = event;
  if (event.type === IommuNotifierFlag.UNMAP && entry.perm !== IommuAccess.NONE)
    throw new RangeError('an UNMAP event must have an entry of permission NONE');
  const first = toBigAddress(entry.iova, 'iova');
  const last = first + BigInt(entry.addrMask);
  const start = BigInt(notifier.start);
  const end = BigInt(notifier.end);
  if (start > last || end < first || (notifier.flags & event.type) === 0) return;
  if (first >= start && last <= end) {
    notifier.notify(entry);
    return;
  }
  const from = first > start ? first : start;
  const to = last < end ? last : end;
  notifier.notify({
    ...entry,
    iova: toAddress(from),
    translatedAddr: toAddress(BigInt.asUintN(64, BigInt(entry.translatedAddr) + (from - first))),
    addrMask: toAddress(to - from),
  });
}

/** One UNMAP for all that `notifier` covers. */
export function unmapNotifierRange(notifier: IommuNotifier, entry: Pick<IommuTlbEntry, 'targetAs'>): void {
  const start = BigInt(notifier.start);
  notifyOne(notifier, {
    type: IommuNotifierFlag.UNMAP,
    entry: {
      targetAs: entry.targetAs,
      iova: toAddress(start),
      translatedAddr: 0,
      addrMask: toAddress(BigInt(notifier.end) - start),
      perm: IommuAccess.NONE,
    },
  });
}
