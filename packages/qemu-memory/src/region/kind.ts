/** What a region is. T-10 to T-18. ROM is RAM with `readonly` set (T-14). */
export const RegionKind = {
  CONTAINER: 0,
  /** Device callbacks. */
  IO: 1,
  /** Answers by refusing: hides what lies below (T-12). */
  RESERVATION: 2,
  RAM: 3,
  ROM_DEVICE: 4,
  RAM_DEVICE: 5,
  IOMMU: 6,
  ALIAS: 7,
} as const;
export type RegionKind = (typeof RegionKind)[keyof typeof RegionKind];
