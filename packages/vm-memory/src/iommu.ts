/** What translates addresses for `IommuMemory`, and the errors it answers with. V-1.12. */
import { type GuestAddress, hex } from './address.ts';
import { GuestMemoryError } from './error.ts';
import type { Iotlb, IovaRange, MappedRange } from './iotlb.ts';
import type { Permissions } from './permissions.ts';
import { textOf } from './shown.ts';

/** Why a translation failed. */
export type IommuErrorCode =
  /** No mapping, or not for this access. */
  | 'cannot-resolve'
  /** Mapped in pieces where one was asked for. */
  | 'fragmented'
  /** The IOMMU itself is not set up. */
  | 'iommu-misconfigured'
  /** A miss handler takes away as much of the range as it maps, again and again. */
  | 'evicted';

/** How often a miss handler may take away as much of a range as it maps, before `translate` gives up. */
const MAX_EVICTIONS = 64;

/** A translation that cannot be. Memory wraps it as the `cause` of a GuestMemoryError `iommu-error`. */
export class IommuError extends Error {
  override readonly name: string = 'IommuError';
  readonly code: IommuErrorCode;
  /** The part that failed, where there is one. */
  readonly iovaRange: IovaRange | undefined;

  constructor(code: IommuErrorCode, message: string, iovaRange?: IovaRange) {
    super(message);
    this.code = code;
    this.iovaRange = iovaRange;
  }
}

/** A translator. Restricting or removing a mapping must reach its IOTLB at once; adding and widening need not. */
export interface Iommu {
  /**
   * The whole of [iova, iova + length), in order.
   *
   * @param length at least 1.
   * @throws {IommuError} some part has no translation for `access`.
   */
  translate(iova: GuestAddress, length: GuestAddress, access: Permissions): readonly MappedRange[];
}

/** What `tlbIommu` asks on a miss: put mappings for `range` into `tlb`, or leave it to be refused. */
export type IommuMissHandler = (
  range: IovaRange,
  access: Permissions,
  tlb: Iotlb,
  why: 'miss' | 'access',
) => boolean | undefined;

/**
 * The usual loop around an IOTLB: look up, let `resolve` map what is missing or lacks the access, look up again.
 *
 * @param resolve answers true when it has mapped something; without it only what is in `tlb` translates. It may evict what
 *   it mapped before, but the whole of one range must fit: where it does not, `translate` throws IommuError `evicted`.
 */
export function tlbIommu(tlb: Iotlb, resolve?: IommuMissHandler): Iommu {
  return {
    translate(iova, length, access) {
      let lacking = -1n; // Bytes, after the round before.
      for (let evictions = 0; ; ) {
        const found = tlb.lookup(iova, length, access);
        if (found.ok) return found.ranges;
        const { misses, accessFails } = found.fails;
        const before = lacking;
        lacking = bytesOf(misses) + bytesOf(accessFails);
        if (before >= 0n && lacking >= before && ++evictions === MAX_EVICTIONS) throw evicted(iova, length);
        const [first] = misses.length > 0 ? misses : accessFails;
        const why = misses.length > 0 ? 'miss' : 'access';
        if (first === undefined || resolve?.(first, access, tlb, why) !== true)
          throw cannotResolve(found.fails, access);
        if (!tlb.lookup(first.base, first.length, access).ok) throw cannotResolve(found.fails, access);
      }
    },
  };
}

function cannotResolve(
  fails: { readonly misses: readonly IovaRange[]; readonly accessFails: readonly IovaRange[] },
  access: Permissions,
): IommuError {
  const range = fails.misses[0] ?? fails.accessFails[0]!;
  const what = `[${hex(range.base)}, ${hex(BigInt(range.base) + BigInt(range.length) - 1n)}]`;
  const why = fails.misses.length > 0 ? 'has no mapping' : `is not mapped for ${ACCESS_NAMES[access]}`;
  return new IommuError('cannot-resolve', `iova range ${what} ${why}; map it in the IOTLB`, range);
}

function evicted(base: GuestAddress, length: GuestAddress): IommuError {
  const what = `[${hex(base)}, ${hex(BigInt(base) + BigInt(length) - 1n)}]`;
  return new IommuError(
    'evicted',
    `iova range ${what} is never mapped as a whole: ${MAX_EVICTIONS} times the miss handler took away as much of it as it mapped; let it keep more, or translate less at a time`,
    { base, length },
  );
}

function bytesOf(ranges: readonly IovaRange[]): bigint {
  let bytes = 0n;
  for (const each of ranges) bytes += BigInt(each.length);
  return bytes;
}

const ACCESS_NAMES = ['nothing', 'reading', 'writing', 'reading and writing'] as const;

/** `iommu-error` with the translator's error as cause. */
export function iommuFailed(addr: GuestAddress, cause: unknown): GuestMemoryError {
  return new GuestMemoryError('iommu-error', `translation of ${hex(addr)} failed: ${textOf(cause)}`, { addr, cause });
}
