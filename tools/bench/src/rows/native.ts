/** rust-vmm's vm-memory, run by the program in native/. */
import type { Row } from '../harness/row.ts';
import type { StreamName } from '../harness/streams.ts';
import { ACCESSES, type AccessName, checkCount } from './accesses.ts';

export type Reach = 'plain' | 'bitmap' | 'atomic' | 'atomic-bitmap';

function row(reach: Reach, name: AccessName, stream: StreamName): Row {
  const access = ACCESSES[name];
  return {
    id: `native-${reach}/${name}/${stream}`,
    stream,
    size: access.size,
    // Its 64-bit sums are kept modulo 2^32 like all others.
    ...(name === 'load64' ? {} : { same: `${name}/${stream}` }),
    checkCount: checkCount(access),
    native: { reach, op: access.native },
  };
}

const scalars = [
  'load32',
  'store32',
  'readObj32',
  'readObj64n',
  'writeObj32',
  'writeObj64n',
  'load64n',
  'store64n',
] as const;

export const nativeRows: readonly Row[] = [
  ...scalars.map((name) => row('plain', name, 'hot')),
  ...(['load32', 'store32'] as const).flatMap((name) =>
    (['hot8', 'seq', 'rand', 'rand8'] as const).map((stream) => row('plain', name, stream)),
  ),
  ...(['read4K', 'write4K', 'read1M', 'write1M'] as const).map((name) => row('plain', name, 'hot')),
  ...(['load32', 'store32', 'readObj32', 'writeObj32'] as const).map((name) => row('atomic', name, 'hot')),
  row('atomic', 'load32', 'hot8'),
  row('bitmap', 'store32', 'hot'),
  row('bitmap', 'touch32', 'touch'),
  row('atomic-bitmap', 'store32', 'hot'),
];
