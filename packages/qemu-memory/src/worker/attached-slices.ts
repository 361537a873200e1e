/** Slices of host memory over the RAM that an attached space reaches itself; the worker's access/slices.ts.. */
import {
  type Bitmap,
  type GuestAddress,
  GuestMemoryError,
  type GuestMemoryErrorCode,
  GuestMemorySlices,
  hex,
  Permissions,
  toAddress,
  toLength,
  VolatileSlice,
} from '@guestmem/vm-memory';
import { advance } from '../access/bulk.ts';
import type { AttachedAccess } from './attached-access.ts';
import { Extent } from './ring-layout.ts';
import type { Window } from './window.ts';

const MOST = 0x4000_0000;

/** [addr, addr + len) as slices, found one by one. @throws {GuestMemoryError} while iterating, where there is none. */
export function slicesOf(
  memory: AttachedAccess,
  addr: GuestAddress,
  len: GuestAddress,
  access: Permissions,
): GuestMemorySlices {
  const slices = generate(memory, toAddress(addr), BigInt(toLength(len)), access);
  return new GuestMemorySlices(() => slices.next().value ?? undefined);
}

function* generate(
  memory: AttachedAccess,
  start: GuestAddress,
  len: bigint,
  access: Permissions,
): Generator<VolatileSlice, void, void> {
  const isWrite = (access & Permissions.WRITE) !== 0;
  let addr = start;
  for (let left = len; left > 0n; ) {
    if (left < len && addr === 0) throw noSlice('guest-address-overflow', addr, 'the range ends above 2^64 - 1');
    const slice = sliceAt(memory, addr, left > BigInt(MOST) ? MOST : Number(left), isWrite);
    if (slice === null) throw refusal(memory, addr, isWrite);
    yield slice;
    left -= BigInt(slice.length);
    addr = advance(addr, slice.length);
  }
}

function sliceAt(memory: AttachedAccess, addr: GuestAddress, len: number, isWrite: boolean): VolatileSlice | null {
  memory.hold();
  try {
    const window = memory.windowAt(addr, isWrite);
    if (window === null) return null;
    const at = (addr as number) - window.first;
    const size = Math.min(len, window.loadLen - at);
    return new VolatileSlice(
      window.bytes.subarray(at, at + size),
      window.dirtyMask !== 0 ? new WindowBitmap(memory, window, at, size) : null,
    );
  } finally {
    memory.release();
  }
}

function refusal(memory: AttachedAccess, addr: GuestAddress, isWrite: boolean): GuestMemoryError {
  return memory.extentAt(addr, 1, isWrite ? 'write' : 'read').kind === Extent.RAM
    ? noSlice('host-address-not-available', addr, `the RAM at ${hex(addr)} is not in the memory of this agent`)
    : noSlice('invalid-guest-address', addr, `${hex(addr)} is not RAM that can be ${isWrite ? 'written' : 'read'}`);
}

function noSlice(code: GuestMemoryErrorCode, addr: GuestAddress, why: string): GuestMemoryError {
  return new GuestMemoryError(code, why, { addr });
}

/** Page states as a vm-memory bitmap: marks the clients that the window has. */
class WindowBitmap implements Bitmap {
  readonly #memory: AttachedAccess;
  readonly #window: Window;
  readonly #at: number;
  readonly #len: number;

  constructor(memory: AttachedAccess, window: Window, at: number, len: number) {
    this.#memory = memory;
    this.#window = window;
    this.#at = at;
    this.#len = len;
  }

  markDirty(offset: number, len: number): void {
    this.#memory.wrote(this.#window, this.#at + offset, Math.min(len, this.#len - offset));
  }

  dirtyAt(offset: number): boolean {
    const { pages, pageShift, pageSkew, dirtyMask } = this.#window;
    return offset < this.#len && (pages[(this.#at + offset + pageSkew) >>> pageShift]! & dirtyMask) !== 0;
  }

  sliceAt(offset: number): Bitmap {
    return new WindowBitmap(this.#memory, this.#window, this.#at + offset, Math.max(this.#len - offset, 0));
  }
}
