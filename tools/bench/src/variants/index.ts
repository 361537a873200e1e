/**
 * Designs of the u32 load that were tried for AddressSpace, smaller than the real thing so that each shows one idea. The
 * numbers (ns with the loop; raw DataView 1.4 / 1.6) stand beside each in designs.ts. Run them with `npm run bench -- --rows '^variant'`.
 */
import type { Built, Row } from '../harness/row.ts';
import type { StreamName } from '../harness/streams.ts';
import { ramFor } from '../rows/ram.ts';
import {
  closurePerSegment,
  homeOnly,
  lastHitBinarySearch,
  lastHitSwitch,
  tableOnly,
  untypedSlow,
  zeroOnly,
} from './designs.ts';

type Design = (ram: readonly DataView[]) => object;

function row(name: string, design: Design, stream: StreamName): Row {
  return {
    id: `variant-${name}/load32/${stream}`,
    stream,
    size: 4,
    same: `load32/${stream}`,
    build: async (): Promise<Built> => {
      const { le32 } = await import('@guestmem/memtx');
      const ram = ramFor(stream);
      return { scope: { m: design(ram), c: le32 }, access: 'm.load(a, c)', kind: 'number' };
    },
  };
}

const DESIGNS: readonly (readonly [string, Design])[] = [
  ['last-hit-switch', lastHitSwitch],
  ['last-hit-search', lastHitBinarySearch],
  ['closure', closurePerSegment],
  ['home', homeOnly],
  ['zero', zeroOnly],
  ['table', tableOnly],
  ['table-untyped', untypedSlow],
];

export const variantRows: readonly Row[] = DESIGNS.flatMap(([name, design]) => [
  row(name, design, 'hot'),
  ...(name === 'zero' || name === 'closure' || name === 'home' ? [] : [row(name, design, 'hot8')]),
]);
