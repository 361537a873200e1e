/** What translates addresses for `IommuMemory`, and the errors it answers with. V-1.12. */
import { type GuestAddress, hex } from './address.ts';
import { GuestMemoryError } from './error.ts';
import type { Iotlb, IovaRange, MappedRange } from './iotlb.ts';
import type { Permissions } from './permissions.ts';

/** Why a translation failed. */
export type IommuErrorCode =
  /** No mapping, or not for this access. */
  | 'cannot-resolve'
  /** Mapped in pieces where one was asked for. */
  | 'fragmented'
  /** The IOMMU itself is not set up. */
  | 'iommu-misconfigured';

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
 * @param resolve answers true when it has mapped something; without it only what is in `tlb` translates.
 */
export function tlbIommu(tlb: Iotlb, resolve?: IommuMissHandler): Iommu {
  return {
    translate(iova, length, access) {
      for (;;) {
        const found = tlb.lookup(iova, length, access);
        if (found.ok) return found.ranges;
        const { misses, accessFails } = found.fails;
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

const ACCESS_NAMES = ['nothing', 'reading', 'writing', 'reading and writing'] as const;

/** `iommu-error` with the translator's error as cause. */
export function iommuFailed(addr: GuestAddress, cause: unknown): GuestMemoryError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new GuestMemoryError('iommu-error', `translation of ${hex(addr)} failed: ${why}`, { addr, cause });
}
