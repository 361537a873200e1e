/** Offsets and bits of the HPET's registers, named as in IA-PC HPET 1.0a, 2.3. H-20 to H-24. */

/** Bytes of the register block (H-1). */
export const HPET_SIZE = 0x400;

export const CAP_LO = 0x000; // RO, capabilities
export const CAP_HI = 0x004; // RO, femtoseconds of a tick
export const CFG = 0x010; // RW, bits 1..0
export const STATUS = 0x020; // RW1C
export const COUNTER_LO = 0x0f0; // RW
export const COUNTER_HI = 0x0f4; // RW

/** First timer register set; the sets are 0x20 apart. */
export const TIMERS = 0x100;
export const TN_SHIFT = 5;
// within a set
export const TN_CFG_LO = 0x00; // RW, bits of TN_CFG_WRITABLE
export const TN_CFG_HI = 0x04; // RO, route capability
export const TN_CMP_LO = 0x08; // RW
export const TN_CMP_HI = 0x0c; // RW
export const TN_MSG_LO = 0x10; // RW, data
export const TN_MSG_HI = 0x14; // RW, address

// CFG
export const CFG_ENABLE = 0x1;
export const CFG_LEGACY = 0x2;

// TN_CFG_LO
export const TN_LEVEL = 0x2;
export const TN_ENABLE = 0x4;
export const TN_PERIODIC = 0x8;
export const TN_PERIODIC_CAP = 0x10;
export const TN_64BIT_CAP = 0x20;
export const TN_SETVAL = 0x40;
export const TN_32BIT = 0x100;
export const TN_ROUTE_SHIFT = 9;
export const TN_ROUTE_MASK = 0x1f;
export const TN_FSB = 0x4000;
export const TN_FSB_CAP = 0x8000;
export const TN_CFG_WRITABLE = 0x7f4e;

/** Nanoseconds and femtoseconds of a tick. */
export const TICK_NS = 10;
export const TICK_FS = 10_000_000;
/** Distances from here on are not armed (H-62): 2^63 / 20. */
export const TOO_FAR = 461_168_601_842_738_790n;
