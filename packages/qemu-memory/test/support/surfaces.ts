/**
 * The ways to make one access of a view: by number or bigint, with a MemTx or throwing, through a view of memtx,
 * by objects, structs, streams, steps of sections, with a tap near. Those of one kind must do the same, and say the same of it.
 */
import { MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs, memTxAttrs, type OnError } from '@guestmem/memtx';
import { ByteSource, byteArray, GrowingSink, type GuestAddress, type ScalarCodec, struct } from '@guestmem/vm-memory';
import { flatviewTranslateSection, sectionReadContinueStep, type ViewAccess } from '../../src/index.ts';
import type { Attrs } from './naive-machine.ts';
import { numbered } from './surface-machine.ts';

export type Kind = 'load' | 'store' | 'read' | 'write' | 'fill';

/** One access. */
export interface Access {
  readonly kind: Kind;
  readonly addr: bigint;
  /** Bytes. */
  readonly size: number;
  /** Of a scalar. */
  readonly codec: ScalarCodec<number | bigint>;
  /** What is written; of a scalar the bytes of its value. */
  readonly data: readonly number[];
  readonly attrs: Attrs;
  /** Ends at the first failure? */
  readonly stop: boolean;
}

export interface Surface {
  readonly name: string;
  readonly kind: Kind;
  /** Leaves the outcome in the MemTx; else it throws. */
  readonly tells: boolean;
  /** Does it end at the first failure, or go on? Both: either. */
  readonly ends: 'stop' | 'go on' | 'both';
  /** Has it no place for attributes? */
  readonly plain: boolean;
  /** A stream: of at most 256 bytes, or its pieces show; and a ROM device is cut at its section, which a transfer of it is not. */
  readonly streams: boolean;
  /** @returns what was read: a scalar, or bytes. */
  run(space: ViewAccess, addr: GuestAddress, access: Access, tx: MemTx): unknown;
}

export const ATTRS: Readonly<Record<Attrs, MemTxAttrs>> = {
  plain: MEMTXATTRS_UNSPECIFIED,
  memory: memTxAttrs({ memory: true }),
  debug: memTxAttrs({ debug: true }),
};

/** The value that `bytes` are. */
export function scalarOf(codec: ScalarCodec<number | bigint>, bytes: readonly number[]): number | bigint {
  return codec.get(new DataView(Uint8Array.from(bytes).buffer), 0);
}

const value = ({ codec, data }: Access) => scalarOf(codec, data);
const bytes = ({ data }: Access) => Uint8Array.from(data);
const onError = ({ stop }: Access): OnError => (stop ? 'stop' : 'continue');

function filled(size: number, fill: (buf: Uint8Array) => void): Uint8Array {
  const buf = new Uint8Array(size).fill(0xcc);
  fill(buf);
  return buf;
}

/** The object as two halves. */
function halves(size: number) {
  const first = Math.floor(size / 2);
  return struct({ first: byteArray(first), second: byteArray(size - first) }, { layout: 'packed' });
}

/** A transfer by the helpers of the RFC, step by step. */
function steps(space: ViewAccess, start: GuestAddress, { size, attrs }: Access, tx: MemTx, buf: Uint8Array): void {
  const step = new MemTx();
  tx.result = 0;
  tx.done = size;
  for (let pos = 0; pos < size; ) {
    const addr = numbered(BigInt.asUintN(64, BigInt(start) + BigInt(pos)));
    const { section, offset, length } = flatviewTranslateSection(space, addr, size - pos, 'read', ATTRS[attrs]);
    let taken = 0;
    step.result = 1; // Where the device throws.
    try {
      taken = sectionReadContinueStep(section, ATTRS[attrs], buf.subarray(pos), length, offset, step);
    } finally {
      if (step.result !== 0 && tx.result === 0) tx.done = pos;
      tx.result |= step.result;
    }
    pos += taken === 0 ? length : taken;
  }
}

interface Options {
  readonly ends?: 'stop' | 'go on' | 'both';
  readonly plain?: boolean;
  readonly streams?: boolean;
}

function surface(name: string, kind: Kind, tells: boolean, options: Options, run: Surface['run']): Surface {
  const { ends = 'both', plain = false, streams = false } = options;
  return { name, kind, tells, ends, plain, streams, run };
}

const STOP = { ends: 'stop' } as const;
const PLAIN = { ends: 'stop', plain: true } as const;

export const SURFACES: readonly Surface[] = [
  surface('txLoad', 'load', true, {}, (s, a, { codec, attrs }, tx) => s.txLoad(a, codec, ATTRS[attrs], tx)),
  surface('txLoad, null', 'load', false, {}, (s, a, { codec, attrs }) => s.txLoad(a, codec, ATTRS[attrs], null)),
  surface('load', 'load', false, PLAIN, (s, a, { codec }) => s.load(a, codec)),
  surface('view.load, tx', 'load', true, {}, (s, a, { codec, attrs }, tx) =>
    s.with({ attrs: ATTRS[attrs], tx }).load(a, codec),
  ),
  surface('view.load', 'load', false, {}, (s, a, { codec, attrs }) => s.with({ attrs: ATTRS[attrs] }).load(a, codec)),
  surface('load of a pinned view', 'load', false, PLAIN, (s, a, { codec }) => {
    using view = s.memory();
    return view.load(a, codec);
  }),
  surface('tapped txLoad', 'load', true, {}, (s, a, { codec, attrs }, tx) => {
    using _ = s.tap(a, 1, () => {});
    return s.txLoad(a, codec, ATTRS[attrs], tx);
  }),

  surface('txStore', 'store', true, {}, (s, a, access, tx) =>
    s.txStore(a, access.codec, value(access), ATTRS[access.attrs], tx),
  ),
  surface('txStore, null', 'store', false, {}, (s, a, access) =>
    s.txStore(a, access.codec, value(access), ATTRS[access.attrs], null),
  ),
  surface('store', 'store', false, PLAIN, (s, a, access) => s.store(a, access.codec, value(access))),
  surface('view.store, tx', 'store', true, {}, (s, a, access, tx) =>
    s.with({ attrs: ATTRS[access.attrs], tx }).store(a, access.codec, value(access)),
  ),
  surface('tapped txStore', 'store', true, {}, (s, a, access, tx) => {
    using _ = s.tap(a, 1, () => {});
    s.txStore(a, access.codec, value(access), ATTRS[access.attrs], tx);
  }),

  surface('txRead', 'read', true, {}, (s, a, access, tx) =>
    filled(access.size, (buf) => s.txRead(a, buf, ATTRS[access.attrs], onError(access), tx)),
  ),
  surface('readSlice', 'read', false, PLAIN, (s, a, { size }) => filled(size, (buf) => s.readSlice(buf, a))),
  surface('view.readSlice', 'read', false, STOP, (s, a, { size, attrs }) =>
    filled(size, (buf) => s.with({ attrs: ATTRS[attrs] }).readSlice(buf, a)),
  ),
  surface('view.read, tx', 'read', true, {}, (s, a, access, tx) =>
    filled(access.size, (buf) => s.with({ attrs: ATTRS[access.attrs], tx, onError: onError(access) }).read(buf, a)),
  ),
  surface('readObj', 'read', false, PLAIN, (s, a, { size }) => s.readObj(a, byteArray(size))),
  surface('struct', 'read', false, STOP, (s, a, { size, attrs }) => {
    const { first, second } = s.with({ attrs: ATTRS[attrs] }).readObj(a, halves(size));
    return [...first, ...second];
  }),
  surface('view.readObj, tx', 'read', true, STOP, (s, a, { size, attrs }, tx) =>
    s.with({ attrs: ATTRS[attrs], tx }).readObj(a, byteArray(size)),
  ),
  surface('writeAllVolatileTo', 'read', false, { ...PLAIN, streams: true }, (s, a, { size }) => {
    const sink = new GrowingSink();
    s.writeAllVolatileTo(a, sink, size);
    return sink.toBytes();
  }),
  surface('steps of sections', 'read', true, { ends: 'go on' }, (s, a, access, tx) =>
    filled(access.size, (buf) => steps(s, a, access, tx, buf)),
  ),

  surface('txWrite', 'write', true, {}, (s, a, access, tx) =>
    s.txWrite(a, bytes(access), ATTRS[access.attrs], onError(access), tx),
  ),
  surface('writeSlice', 'write', false, PLAIN, (s, a, access) => s.writeSlice(bytes(access), a)),
  surface('view.write, tx', 'write', true, {}, (s, a, access, tx) => {
    s.with({ attrs: ATTRS[access.attrs], tx, onError: onError(access) }).write(bytes(access), a);
  }),
  surface('writeObj', 'write', false, PLAIN, (s, a, access) => s.writeObj(a, byteArray(access.size), bytes(access))),
  surface('struct', 'write', true, {}, (s, a, access, tx) => {
    const view = s.with({ attrs: ATTRS[access.attrs], tx, onError: onError(access) });
    const first = Math.floor(access.size / 2);
    view.writeObj(a, halves(access.size), { first: bytes(access).slice(0, first), second: bytes(access).slice(first) });
  }),
  surface('readExactVolatileFrom', 'write', false, { ...PLAIN, streams: true }, (s, a, access) =>
    s.readExactVolatileFrom(a, new ByteSource(bytes(access)), access.size),
  ),

  surface('set, tx', 'fill', true, { ends: 'go on' }, (s, a, { data, size, attrs }, tx) =>
    s.set(a, data[0]!, size, ATTRS[attrs], tx),
  ),
  surface('set', 'fill', false, { ends: 'go on' }, (s, a, { data, size, attrs }) =>
    s.set(a, data[0]!, size, ATTRS[attrs]),
  ),
];
