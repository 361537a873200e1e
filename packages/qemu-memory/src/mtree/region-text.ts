/** How a region is called and typed in QEMU's dumps. T-27, T-189, T-190, T-197, T-203. */
import { NamedOwner } from '../map/owner.ts';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';

/** Which QEMU's text to write: that of 7.2 and 10.0, or of 11.1, which tells parentless containers apart (T-190). */
export type MtreeStyle = '7.2' | '11.1';

const PARENTLESS = /^[^:\n]* \(prio -?\d+, (?:nv-)?container\): /m;

/** The style that `text` is in, a tree or a flat dump; `7.2` where nothing tells them apart (T-190). */
export function mtreeStyle(text: string): MtreeStyle {
  return PARENTLESS.test(text) ? '11.1' : '7.2';
}

/** What a dump prints of a region's type, `nv-` not included (T-189). */
export function typeText(region: MemoryRegion, style: MtreeStyle): string {
  let end = region;
  while (end.target !== null) end = end.target;
  switch (end.kind) {
    case RegionKind.RAM_DEVICE:
      return 'ramd';
    case RegionKind.RAM:
      return end.readonly ? 'rom' : 'ram';
    case RegionKind.ROM_DEVICE:
      if (end.romdMode) return 'romd';
  }
  return style === '11.1' && end.container === null ? 'container' : 'i/o';
}

/** The owner part of a line, with its leading blank (T-197): what was read from text, or what the owner says of itself. */
export function ownerText(region: MemoryRegion): string {
  if (region.owner === null) return ' orphan';
  if (region.owner instanceof NamedOwner) return ` ${region.owner.label}`;
  const { id } = region.owner as { readonly id?: unknown };
  if (typeof id === 'string') return ` owner:{dev id=${id}}`;
  return ` owner:{obj type=${region.owner.constructor?.name ?? 'object'}}`;
}
