/**
 * A region's `valid` and `impl` rules with the defaults filled in, as plain fields: made once when the region is created.
 *
 */

import { MemTxResult } from '@guestmem/memtx';
import { badNumber } from '@guestmem/vm-memory';
import { MemoryRegionError } from '../region/error.ts';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps, ValidAccess } from '../region/ops.ts';
import type { RefusalReason } from './control.ts';
import { ramDeviceOps } from './ram-device.ts';

/** Filled-in rules. Sizes in bytes. */
export interface AccessRules {
  /** 0: no lower bound. */
  readonly validMin: number;
  /** 0: every size is valid and `validMin` is not looked at. */
  readonly validMax: number;
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
  readonly implUnaligned: boolean;
}

/** What regions without `ops` have: `accepts` refuses everything, whatever these say. */
export const UNASSIGNED_RULES: AccessRules = {
  validMin: 0,
  validMax: 0,
  validUnaligned: true,
  implMin: 1,
  implMax: 4,
  implUnaligned: false,
};

/** Host device memory takes 1 to 8 bytes at any offset. */
export const RAM_DEVICE_RULES: AccessRules = {
  validMin: 1,
  validMax: 8,
  validUnaligned: true,
  implMin: 1,
  implMax: 8,
  implUnaligned: true,
};

/**
 * Fills in the defaults of `ops` and checks them.
 *
 * @throws {RangeError} a size is not 0, 1, 2, 4 or 8, or a minimum is above its maximum.
 * @throws {MemoryRegionError} `missing-callback`: a direction has callbacks, but none of a width that `impl` promises.
 */
export function accessRules(name: string, ops: MemoryRegionOps): AccessRules {
  const valid: ValidAccess = ops.valid ?? {};
  const impl = ops.impl ?? {};
  const rules = {
    validMin: sizeOf(name, 'valid.minAccessSize', valid.minAccessSize),
    validMax: sizeOf(name, 'valid.maxAccessSize', valid.maxAccessSize),
    validUnaligned: valid.unaligned ?? false,
    implMin: sizeOf(name, 'impl.minAccessSize', impl.minAccessSize) || 1,
    implMax: sizeOf(name, 'impl.maxAccessSize', impl.maxAccessSize) || 4,
    implUnaligned: impl.unaligned ?? false,
  };
  if (rules.validMax !== 0 && rules.validMin > rules.validMax)
    throw new RangeError(
      `region "${name}": valid.minAccessSize ${rules.validMin} is above maxAccessSize ${rules.validMax}`,
    );
  checkCallbacks(name, ops, rules);
  return rules;
}

function sizeOf(name: string, field: string, size = 0): number {
  if (size === 0 || size === 1 || size === 2 || size === 4 || size === 8) return size;
  throw badNumber(`region "${name}": ${field} must be 1, 2, 4 or 8`, size);
}

/** A direction with no callback at all is an error only when it is used; half of one is an error now. */
function checkCallbacks(name: string, ops: MemoryRegionOps, rules: AccessRules): void {
  const wide = rules.implMin === 8 || (rules.implMax === 8 && (rules.validMax === 0 || rules.validMax === 8));
  const narrow = rules.implMin < 8;
  const read32 = ops.read !== undefined || ops.readWithAttrs !== undefined;
  const read64 = ops.readHalves !== undefined || ops.read64 !== undefined || ops.read64WithAttrs !== undefined;
  const write32 = ops.write !== undefined || ops.writeWithAttrs !== undefined;
  const write64 = ops.writeHalves !== undefined || ops.write64 !== undefined || ops.write64WithAttrs !== undefined;
  if (read32 && !read64 && wide) throw missing(name, 'readHalves, read64 or read64WithAttrs', 8);
  if (write32 && !write64 && wide) throw missing(name, 'writeHalves, write64 or write64WithAttrs', 8);
  if (read64 && !read32 && narrow) throw missing(name, 'read or readWithAttrs', rules.implMin);
  if (write64 && !write32 && narrow) throw missing(name, 'write or writeWithAttrs', rules.implMin);
}

function missing(name: string, what: string, size: number): MemoryRegionError {
  return new MemoryRegionError(
    'missing-callback',
    `region "${name}": impl allows accesses of ${size} bytes, but there is no ${what}; add it or narrow impl`,
  );
}

/** What answers for a region: its own ops, those of host memory, or null for the unassigned ones. */
export function opsOf(region: MemoryRegion): MemoryRegionOps | null {
  if (region.kind === RegionKind.RAM_DEVICE) return ramDeviceOps(region);
  if (region.kind === RegionKind.IO || region.kind === RegionKind.ROM_DEVICE) return region.ops;
  return null;
}

/** Bits of the sizes (1, 2, 4) that are valid and that the device takes in one callback of the same size. */
export function easySizes(rules: AccessRules): number {
  let bits = 0;
  for (const size of [1, 2, 4]) {
    const valid = rules.validMax === 0 || (size <= rules.validMax && size >= rules.validMin);
    if (valid && size >= rules.implMin && size <= rules.implMax) bits |= size;
  }
  return bits;
}

/** The result of a refusal. */
export function resultOf(reason: RefusalReason): MemTxResult {
  return reason === 'nested too deep' ? MemTxResult.ACCESS_ERROR : MemTxResult.DECODE_ERROR;
}
