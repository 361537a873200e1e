/**
 * An attached space against a twin of its owner in this thread: the same accesses give the same values, results, bytes,
 * exceptions and device callbacks, whatever they are. D8.
 */
import {
  be16s,
  be32,
  be64,
  be64a,
  be64n,
  i8,
  le16,
  le32,
  le32f,
  le64,
  le64a,
  le64n,
  le64s,
  MemTx,
  type MemTxAttrs,
  MemTxError,
  memTxAttrs,
  type TxMemory,
  u8,
} from '@guestmem/memtx';
import { attach } from '@guestmem/qemu-memory';
import {
  ByteSource,
  GrowingSink,
  type GuestMemory,
  GuestMemoryError,
  type Ordering,
  type Permissions,
  type ScalarCodec,
} from '@guestmem/vm-memory';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { toHex } from '../support/machine.ts';
import { MIXED_END, mixed } from './support/machines.ts';
import { RemoteOwner } from './support/remote-owner.ts';

/** What both sides offer. */
interface Memory extends GuestMemory, TxMemory {
  set(addr: number, byte: number, len: number, attrs?: MemTxAttrs, tx?: MemTx | null): void;
  writeRom(addr: number, buf: Uint8Array): void;
  stlNotdirty(addr: number, value: number, attrs?: MemTxAttrs, tx?: MemTx | null): void;
  accessValid(addr: number, len: number, mode: 'read' | 'write', attrs?: MemTxAttrs): boolean;
  isIo(addr: number): boolean;
}

interface Step {
  readonly op: number;
  readonly addr: number | bigint;
  readonly len: number;
  readonly codec: ScalarCodec<number> | ScalarCodec<bigint>;
  readonly seed: number;
  readonly attrs: MemTxAttrs;
  readonly ordering: Ordering | undefined;
  readonly tell: boolean;
  readonly goOn: boolean;
}

const CODECS = [u8, i8, le16, be16s, le32, be32, le32f, le64, be64, le64a, be64a, le64n, be64n, le64s];
const ATTRS = [{}, { unspecified: true }, { memory: true }, { debug: true }, { secure: true, requesterId: 7 }];

const addr = fc.oneof(
  { weight: 12, arbitrary: fc.nat(MIXED_END) },
  // Near the borders.
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 0x1000, 0x1040, 0x1400, 0x1800, 0x2000, 0x3000, 0x3400, 0x4000, 0x6000), fc.nat(16))
      .map(([base, back]) => Math.max(base - back + 8, 0)),
  },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0.5, 2 ** 53, 2n ** 64n, 2n ** 64n - 4n, 0x1008n, Number.NaN) },
);
const step: fc.Arbitrary<Step> = fc.record({
  op: fc.nat(14),
  addr,
  len: fc.oneof(fc.nat(20), fc.nat(1500)),
  codec: fc.constantFrom(...CODECS) as fc.Arbitrary<ScalarCodec<number>>,
  seed: fc.nat(),
  attrs: fc.constantFrom(...ATTRS).map((fields) => memTxAttrs(fields)),
  ordering: fc.constantFrom<Ordering | undefined>(undefined, undefined, undefined, 1, 2, 3, 5, 9 as Ordering),
  tell: fc.boolean(),
  goOn: fc.boolean(),
});

function bytesOf(seed: number, len: number): Uint8Array {
  return Uint8Array.from({ length: len }, (_, i) => (Math.imul(seed + i, 2_654_435_761) >>> 13) & 0xff);
}

/** A value of the codec, now and then one that it does not have (but one mistake at a time: which is told first is open). */
function valueFor({ codec, seed, ordering }: Step): never {
  if (seed % 37 === 0 && ordering === undefined) return -1.5 as never;
  const bytes = new DataView(bytesOf(seed, 8).buffer);
  if (codec.name.endsWith('64n')) bytes.setUint16(codec.littleEndian ? 6 : 0, 0);
  try {
    return (codec as ScalarCodec<number>).get(bytes, 0) as never;
  } catch {
    return 0 as never;
  }
}

/** All that can be seen of one access. */
function outcome(memory: Memory, one: Step): unknown {
  const { op, len, codec, seed, attrs, ordering, tell, goOn } = one;
  const at = one.addr as number;
  const tx = tell ? Object.assign(new MemTx(), { result: 99, done: 98 }) : null;
  const onError = goOn ? 'continue' : 'stop';
  const buf = bytesOf(seed + 1, len);
  const any = codec as ScalarCodec<number>;
  const mode = goOn ? 'read' : 'write';
  const actions: readonly (() => unknown)[] = [
    () => memory.txLoad(at, any, attrs, tx, ordering),
    () => memory.txStore(at, any, valueFor(one), attrs, tx, ordering),
    () => memory.txRead(at, buf, attrs, onError, tx),
    () => memory.txWrite(at, buf, attrs, onError, tx),
    () => memory.load(at, any, ordering),
    () => memory.store(at, any, valueFor(one), ordering),
    () => memory.read(buf, at),
    () => memory.write(buf, at),
    () => [memory.readObj(at, any), memory.writeObj(at, any, valueFor(one))],
    () => memory.set(at, seed & 0xff, len, attrs, tx),
    () => (seed % 3 === 0 ? memory.writeRom(at, buf) : memory.stlNotdirty(at, seed >>> 0, attrs, tx)),
    () => [memory.isIo(at), memory.accessValid(at, len, mode, attrs), memory.accessValid(at, len, mode)],
    () => memory.checkRange(at, len, (seed % 4) as Permissions),
    () => {
      const source = new ByteSource(buf);
      return [memory.readVolatileFrom(at, source, len), source.position];
    },
    () => {
      const sink = new GrowingSink();
      return [memory.writeVolatileTo(at, sink, len), toHex(sink.toBytes())];
    },
  ];
  try {
    const value = actions[op]!();
    return { value, bytes: toHex(buf), tx: { ...tx } };
  } catch (error) {
    const { name, message } = error as Error;
    const detail = error instanceof GuestMemoryError ? [error.code, error.addr, error.expected, error.completed] : [];
    const result = error instanceof MemTxError ? error.result : undefined;
    // RangeErrors and TypeErrors are the program's mistakes: which of two is told first is not part of the contract, nor what
    // they leave in the MemTx.
    return detail.length === 0 ? { name: 'mistake' } : { name, message, detail, result, tx: { ...tx } };
  }
}

const owner = new RemoteOwner();
beforeEach(() => owner.check());
afterAll(() => owner.stop());

it.each(['barrier', 'quiescent'] as const)('A-238: whatever is done through it, %s flavour', (flavour) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      const { id, handle } = owner.make({ make: 'mixed' });
      const twin = mixed();
      const space = attach(handle, { flavour, timeoutMs: 5000 });
      try {
        for (const [i, one] of steps.entries()) {
          expect([i, outcome(space, one)]).toEqual([i, outcome(twin.space, one)]);
          if (flavour === 'quiescent' && i % 3 === 0) space.quiescent();
        }
        expect(owner.calls(id)).toEqual(twin.calls);
        const whole = [space, twin.space].map((memory) => {
          const bytes = new Uint8Array(MIXED_END);
          memory.with({ tx: new MemTx(), onError: 'continue' }).read(bytes, 0);
          return toHex(bytes);
        });
        expect(whole[0] === whole[1]).toBe(true);
      } finally {
        space.detach();
        owner.close(id);
      }
    }),
    { numRuns: 40 },
  );
});
