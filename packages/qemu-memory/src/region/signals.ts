/**
 * What a region announces beside its place: eventfds, coalesced ranges, dirty logging for a display. Kept apart from the
 * region because few regions use any of it. T-21, T-25, T-125 to T-133.
 */
import type { GuestAddress } from '@guestmem/vm-memory';
import { badNumber } from '@guestmem/vm-memory';
import { throwCollected } from '../rcu/callback-queue.ts';
import * as check from './check.ts';
import { MemoryRegionError } from './error.ts';
import type { EventNotifier, IoEventFd } from './event-fd.ts';
import { compareEventFds, sameEventFd } from './event-fd.ts';
import { LogClient } from './log-client.ts';
import type { MemoryRegion } from './memory-region.ts';

/** Writes to these bytes of a region may be delivered late (T-130). */
export interface CoalescedRange {
  /** Within the region. */
  readonly offset: bigint;
  readonly size: bigint;
}

const NO_EVENTFDS: readonly IoEventFd[] = Object.freeze([]);
const NO_RANGES: readonly CoalescedRange[] = Object.freeze([]);

/** One region's eventfds, coalesced ranges and log count. */
export class RegionSignals {
  readonly #region: MemoryRegion;
  /** Bits of the clients that asked for this region (T-21); what is in force is `core.effectiveLogMask` (T-24). */
  logMask = 0;
  #vgaCount = 0;
  /** In the order of T-125. An edit makes a new array. */
  eventFds: readonly IoEventFd[] = NO_EVENTFDS;
  /** In order of adding. An edit makes a new array. */
  coalesced: readonly CoalescedRange[] = NO_RANGES;

  constructor(region: MemoryRegion) {
    this.#region = region;
  }

  /** Kept where each access looks at it. */
  get flushCoalesced(): boolean {
    return this.#region.dispatch.flushCoalesced;
  }
  set flushCoalesced(on: boolean) {
    this.#region.dispatch.flushCoalesced = on;
  }

  /** T-25. */
  setLog(on: boolean, client: LogClient): void {
    const region = this.#region;
    const { core } = region;
    if (client !== LogClient.VGA)
      throw new MemoryRegionError('bad-log-client', `only the VGA client logs one region ("${region.name}")`);
    const begins = this.#switchesLog(on);
    let switches = begins;
    if (begins)
      core.beginIf(() => {
        switches = this.#switchesLog(on);
      });
    this.#vgaCount += on ? 1 : -1;
    if (switches) {
      this.logMask ^= 1 << LogClient.VGA;
      core.logMasksChanged();
      core.regionChanged(region, region.size, region.enabled);
    }
    if (begins) core.commit();
  }

  #switchesLog(on: boolean): boolean {
    const region = this.#region;
    if (!on && this.#vgaCount === 0)
      throw new MemoryRegionError('bad-log-client', `region "${region.name}" is not logged: setLog(false) too often`);
    check.mayEdit(region);
    return this.#vgaCount === (on ? 0 : 1);
  }

  /** T-125. */
  addEventFd(
    offset: GuestAddress,
    size: number,
    matchData: boolean,
    data: number | bigint,
    notifier: EventNotifier,
  ): void {
    this.#editEventFds(() => {
      const added = this.#eventFd(offset, size, matchData, data, notifier);
      let at = 0;
      while (at < this.eventFds.length && compareEventFds(this.eventFds[at]!, added) <= 0) at++;
      return [...this.eventFds.slice(0, at), added, ...this.eventFds.slice(at)];
    });
  }

  /** T-125, with the equality of T-129. */
  delEventFd(
    offset: GuestAddress,
    size: number,
    matchData: boolean,
    data: number | bigint,
    notifier: EventNotifier,
  ): void {
    this.#editEventFds(() => {
      const wanted = this.#eventFd(offset, size, matchData, data, notifier);
      const at = this.eventFds.findIndex((each) => sameEventFd(each, wanted));
      if (at < 0)
        throw new MemoryRegionError(
          'no-such-eventfd',
          `region "${this.#region.name}" has no such eventfd at offset 0x${wanted.offset.toString(16)}, size ${size}`,
        );
      return this.eventFds.filter((_, i) => i !== at);
    });
  }

  /** T-130: told to listeners at once. */
  addCoalescing(offset: GuestAddress, size: GuestAddress): void {
    const region = this.#region;
    const range = { offset: check.offset(offset, 'offset'), size: check.size(size) };
    check.mayEdit(region);
    this.coalesced = Object.freeze([...this.coalesced, range]);
    this.flushCoalesced = true;
    region.core.coalescedChanged(region, range, true);
  }

  /** T-131. What listeners throw surfaces when all is done. */
  clearCoalescing(): void {
    const errors: unknown[] = [];
    this.#clearCoalescing(errors);
    throwCollected(errors);
  }

  /** T-130. */
  setCoalescing(): void {
    const errors: unknown[] = [];
    this.#clearCoalescing(errors);
    try {
      this.addCoalescing(0n, this.#region.size);
    } catch (error) {
      errors.push(error);
    }
    throwCollected(errors);
  }

  #clearCoalescing(errors: unknown[]): void {
    const region = this.#region;
    check.mayEdit(region);
    if (this.coalesced.length === 0) return;
    region.core.flushCoalesced();
    this.#dropCoalescing(errors);
  }

  #dropCoalescing(errors: unknown[]): void {
    const region = this.#region;
    this.flushCoalesced = false;
    while (this.coalesced.length > 0) {
      const range = this.coalesced[0]!;
      this.coalesced = Object.freeze(this.coalesced.slice(1));
      try {
        region.core.coalescedChanged(region, range, false);
      } catch (error) {
        errors.push(error);
      }
    }
  }

  /** T-132. */
  clearFlushCoalesced(): void {
    this.#region.core.flushCoalesced();
    if (this.coalesced.length === 0) this.flushCoalesced = false;
  }

  /** The region ends (T-33); the edit that ends it has delivered the writes that waited. @param errors gets what listeners throw. */
  dispose(errors: unknown[]): void {
    this.#dropCoalescing(errors);
    if (this.eventFds.length === 0) return;
    this.eventFds = NO_EVENTFDS;
    this.#region.dispatch.setIoEventFds(NO_EVENTFDS);
  }

  #editEventFds(edited: () => readonly IoEventFd[]): void {
    const region = this.#region;
    let list = NO_EVENTFDS;
    region.core.beginIf(() => {
      check.mayEdit(region);
      list = edited();
    });
    this.eventFds = Object.freeze(list);
    region.dispatch.setIoEventFds(list);
    region.core.eventFdsChanged(region.enabled);
    region.core.commit();
  }

  #eventFd(
    offset: GuestAddress,
    size: number,
    matchData: boolean,
    data: number | bigint,
    notifier: EventNotifier,
  ): IoEventFd {
    if (size !== 0 && size !== 1 && size !== 2 && size !== 4 && size !== 8)
      throw badNumber('eventfd size must be 0, 1, 2, 4 or 8', size);
    const core = this.#region.core;
    const order = this.#region.ops?.endianness ?? 'native';
    const swapped = order !== 'native' && order !== core.targetOrder;
    const value = matchData ? check.offset(data, 'eventfd data') : 0n;
    return {
      offset: check.offset(offset, 'offset'),
      size,
      matchData,
      data: swapped ? byteSwap(value, size) : value,
      notifier,
      serial: core.notifierSerial(notifier),
    };
  }
}

/** The low `size` bytes of `value` in the other order; unchanged for size 0. */
function byteSwap(value: bigint, size: number): bigint {
  if (size === 0) return value;
  let out = 0n;
  for (let i = 0; i < size; i++) out = (out << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return out;
}
