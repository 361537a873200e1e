/** Listeners in the order in which they are told: rising priority, among equals as registered; reverse is the exact opposite. T-111. */

import { badNumber, shown } from '@guestmem/vm-memory';
import { MemoryRegionError } from '../region/error.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryListener } from './listener.ts';

/** One listener and the one space that it belongs to (T-110). */
export interface Registration {
  readonly listener: MemoryListener;
  readonly space: AddressSpace;
  readonly priority: number;
}

/** Collects what listeners throw: one that fails does not keep the others from being told. */
export type Call = (tell: () => void) => void;

/** A sorted list of registrations. */
export class ListenerList {
  #list: readonly Registration[] = [];

  get size(): number {
    return this.#list.length;
  }

  get all(): readonly Registration[] {
    return this.#list;
  }

  /** After those of the same priority. */
  add(registration: Registration): void {
    const at = this.#list.findIndex((each) => each.priority > registration.priority);
    const list = [...this.#list];
    list.splice(at < 0 ? list.length : at, 0, registration);
    this.#list = list;
  }

  remove(registration: Registration): void {
    this.#list = this.#list.filter((each) => each !== registration);
  }

  has(callback: keyof MemoryListener): boolean {
    return this.#list.some((each) => each.listener[callback] !== undefined);
  }

  /** Not those that a `commit` callback of another has unregistered meanwhile, which were told all (T-123). */
  forward(call: Call, tell: (listener: MemoryListener, registration: Registration) => void): void {
    const list = this.#list;
    for (const each of list)
      if (list === this.#list || this.#list.includes(each)) call(() => tell(each.listener, each));
  }

  reverse(call: Call, tell: (listener: MemoryListener, registration: Registration) => void): void {
    const list = this.#list;
    for (let i = list.length - 1; i >= 0; i--) call(() => tell(list[i]!.listener, list[i]!));
  }
}

/** @throws {TypeError} no object. @throws {MemoryRegionError} `bad-listener`. @throws {RangeError} priority. */
export function checkListener(listener: MemoryListener, space: AddressSpace): Registration {
  if (typeof listener !== 'object' || listener === null)
    throw new TypeError(
      `a listener is an object of callbacks, such as { regionAdd(section) {} }, not ${shown(listener)}`,
    );
  const name = listener.name === undefined ? 'a listener' : `listener "${listener.name}"`;
  if (listener.logSync !== undefined && listener.logSyncGlobal !== undefined)
    throw new MemoryRegionError('bad-listener', `${name} has both logSync and logSyncGlobal; it must have one of them`);
  const priority = listener.priority ?? 0;
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 0xffff_ffff))
    throw badNumber(`the priority of ${name} must be an unsigned 32-bit integer`, priority);
  return { listener, space, priority };
}
