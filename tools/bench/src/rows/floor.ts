/** The floor: what the language itself does, with no address space around it: one DataView, or one of eight by the address. */
import type { Row } from '../harness/row.ts';
import type { StreamName } from '../harness/streams.ts';
import { ACCESSES, type AccessName, checkCount, isBulk } from './accesses.ts';
import { ramFor } from './ram.ts';
import { residueOf } from './residue.ts';

function row(name: AccessName, stream: StreamName): Row {
  const access = ACCESSES[name];
  return {
    id: `floor/${name}/${stream}`,
    stream,
    size: access.size,
    same: `${name}/${stream}`,
    checkCount: checkCount(access),
    build: async () => {
      const ram = ramFor(stream);
      const [view] = ram as readonly [DataView];
      const bytes = new Uint8Array(view.buffer);
      const buffer = new Uint8Array(access.size);
      return {
        scope: isBulk(access) ? { u: bytes, b: buffer } : { m: ram.length === 1 ? view : ram },
        access:
          ram.length === 1 ? access.floor : access.floor.replace('m.', 'm[a >>> 26].').replace('(a', '(a & 0x3ffffff'),
        kind: access.kind,
        residue: () => residueOf(ram),
      };
    },
  };
}

export const floorRows: readonly Row[] = [
  row('load32', 'hot'),
  row('load32', 'hot8'),
  row('store32', 'hot8'),
  row('load32', 'seq'),
  row('load32', 'rand'),
  row('store32', 'hot'),
  row('load8', 'hot'),
  row('store8', 'hot'),
  row('load16s', 'hot'),
  row('load32be', 'hot'),
  row('load64', 'hot'),
  row('load64n', 'hot'),
  row('store64n', 'hot'),
  row('read4K', 'hot'),
  row('write4K', 'hot'),
  row('read1M', 'hot'),
  row('write1M', 'hot'),
];
