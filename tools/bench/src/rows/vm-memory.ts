/** @guestmem/vm-memory: its plain buffer backend, with and without dirty tracking, and through the published snapshot. */
import type { AtomicBitmap } from '@guestmem/vm-memory';
import type { Built, Row } from '../harness/row.ts';
import { REGION_BYTES, type StreamName } from '../harness/streams.ts';
import { ACCESSES, type AccessName, checkCount } from './accesses.ts';
import { ramFor } from './ram.ts';
import { residueOf } from './residue.ts';

type Form = 'vm' | 'vm-dirty' | 'vm-atomic';

async function build(form: Form, name: AccessName, stream: StreamName): Promise<Built> {
  const { guestMemory, i16, inOrder, u8, u32, u64, u64Number } = await import('@guestmem/vm-memory');
  const access = ACCESSES[name];
  const ram = ramFor(stream);
  const memory = guestMemory(
    ram.map((view, i) => ({ startAddr: i * REGION_BYTES, memory: view })),
    form === 'vm-dirty' ? { dirtyPageSize: 4096 } : {},
  );
  const scope = {
    m: memory,
    c: { u8, i16, u32, u32be: inOrder(u32, 'big'), u64, u64Number }[access.codec],
    b: new Uint8Array(access.size),
  };
  const made: Built = { scope, access: access.bytes, kind: access.kind, residue: () => residueOf(ram) };
  if (form === 'vm-atomic') {
    const { GuestMemoryAtomic } = (await import('@guestmem/vm-memory')) as unknown as {
      GuestMemoryAtomic: new (memory: object) => object;
    };
    return {
      ...made,
      scope: { ...scope, m: new GuestMemoryAtomic(memory) },
      access: access.bytes.replaceAll('m.', 'm.memory().'),
    };
  }
  if (name !== 'touch32') return made;
  const bitmap = memory.findRegion(0)?.bitmap as AtomicBitmap;
  return { ...made, reset: { count: REGION_BYTES >>> 12, run: () => bitmap.reset() } };
}

function row(form: Form, name: AccessName, stream: StreamName): Row {
  const access = ACCESSES[name];
  return {
    id: `${form}/${name}/${stream}`,
    stream,
    size: access.size,
    same: `${name}/${stream}`,
    checkCount: checkCount(access),
    build: () => build(form, name, stream),
  };
}

export const vmMemoryRows: readonly Row[] = [
  ...(['load8', 'store8', 'load16s', 'load32be'] as const).map((name) => row('vm', name, 'hot')),
  ...(['load32', 'store32', 'load64n', 'load64', 'readObj32', 'writeObj32', 'readObj64n', 'writeObj64n'] as const).map(
    (name) => row('vm', name, 'hot'),
  ),
  row('vm', 'load32', 'hot8'),
  row('vm', 'load32', 'seq'),
  row('vm', 'load32', 'rand'),
  ...(['read4K', 'write4K', 'read1M', 'write1M'] as const).map((name) => row('vm', name, 'hot')),
  row('vm-dirty', 'store32', 'hot'),
  row('vm-dirty', 'touch32', 'touch'),
  row('vm-atomic', 'load32', 'hot'),
  row('vm-atomic', 'store32', 'hot'),
];
