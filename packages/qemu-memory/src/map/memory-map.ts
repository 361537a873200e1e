/**
 * The map as data: a tree of regions and the flat views it shows, as a plain value that JSON and structured clone carry
 * unchanged. Addresses are strings `0x…`, so that 64 bits survive; what has its usual value is left out. D14.
 * Reading it from unknown data is check-map.ts, taking it from a core capture.ts, making a core of it build.ts.
 */

/** The version that this package writes. A reader refuses any other. */
export const MEMORY_MAP_VERSION = 1;

/** A 64-bit number as `0x` and lower-case hex digits without leading zeros; sizes go up to `0x10000000000000000`. */
export type MapAddress = `0x${string}`;

/** What a region is. ROM is `ram` with `readonly`; `reservation` is I/O without a device. */
export type MapRegionKind =
  | 'container'
  | 'io'
  | 'reservation'
  | 'ram'
  | 'rom-device'
  | 'ram-device'
  | 'iommu'
  | 'alias';

/** One region. Its index in `MemoryMap.regions` is its identity: names need not be unique. */
export interface MapRegion {
  readonly name: string;
  readonly kind: MapRegionKind;
  readonly size: MapAddress;
  /** Offset in the container. Absent: 0. */
  readonly addr?: MapAddress;
  /** Signed 32-bit. Absent: 0. */
  readonly priority?: number;
  /** Absent: enabled. */
  readonly enabled?: false;
  /** The region's own flag. Absent: false. */
  readonly readonly?: true;
  /** The region's own flag. Absent: false. */
  readonly nonvolatile?: true;
  /** Absent: true. */
  readonly romdMode?: false;
  /** Index of an alias's target. */
  readonly target?: number;
  /** Offset of an alias's first byte in its target. Absent: 0. */
  readonly aliasOffset?: MapAddress;
  /** Indices in sibling order: falling priority, among equals the one on top first (T-42). Absent: none. */
  readonly children?: readonly number[];
  /** Who owns it, as `info mtree -o` prints it. */
  readonly owner?: string;
  /** Lines of the dump it was read from. */
  readonly lines?: readonly number[];
  /** Stands for a region that the dump hides: nothing is known of it but that it is disabled. */
  readonly hidden?: true;
}

/** One address space. */
export interface MapSpace {
  readonly name: string;
  /** Index of the root region. */
  readonly root: number;
  /** Index in `MemoryMap.views`; absent where no views are given. */
  readonly view?: number;
}

/** One range of a view: both ends included. */
export interface MapRange {
  readonly first: MapAddress;
  readonly last: MapAddress;
  readonly region: number;
  /** Absent: 0. */
  readonly offset?: MapAddress;
  /** Effective flags. Absent: false. */
  readonly readonly?: true;
  readonly nonvolatile?: true;
}

/** A flat view. Address spaces that share one name the same index. */
export interface MapView {
  /** Index of the canonical root; absent for the empty view. */
  readonly root?: number;
  readonly ranges: readonly MapRange[];
}

/** A machine's memory as data. */
export interface MemoryMap {
  readonly format: 'guestmem-map';
  readonly version: typeof MEMORY_MAP_VERSION;
  readonly regions: readonly MapRegion[];
  /** In creation order. */
  readonly spaces: readonly MapSpace[];
  /** Rendered views. Absent: a tree only; building it renders them. */
  readonly views?: readonly MapView[];
}

/** The string form of an address, offset or size. */
export function mapAddress(value: bigint | number): MapAddress {
  return `0x${value.toString(16)}`;
}
