/** Both ends of the request ring in one agent, so that a caller gives up exactly where a test wants it to. */
import * as codecs from '@guestmem/memtx';
import { le32, MEMTXATTRS_UNSPECIFIED, type MemTxAttrs, memTxAttrs } from '@guestmem/memtx';
import { ScalarCodec, ScalarKind } from '@guestmem/vm-memory';
import { expect, it, vi } from 'vitest';
import { BlockTable } from '../../src/worker/block-table.ts';
import { codecFlags, codecOf } from '../../src/worker/codec-of.ts';
import { OwnerQuestions } from '../../src/worker/owner-questions.ts';
import { PinList } from '../../src/worker/pin-list.ts';
import { RingClient } from '../../src/worker/ring-client.ts';
import { createRing, Op, Ring, THROW } from '../../src/worker/ring-layout.ts';
import { RingServer } from '../../src/worker/ring-server.ts';
import { type Machine, machine } from './support/machine.ts';

interface Ends {
  readonly server: RingServer;
  /** A transaction during which the owner serves `exchanges` times and then no more. */
  transact(exchanges: number, op: number, addr: number, flags: number, attrs: MemTxAttrs, bytes: Uint8Array): void;
}

/** One entry of 64 bytes, so that each request takes the same one. @param meanwhile is called at each look of a waiting client. */
function joined({ space }: Machine, timeoutMs: number, meanwhile: (server: RingServer) => void) {
  const ring = new Ring(createRing(1, 64));
  const blocks = new BlockTable(() => undefined);
  const server = new RingServer(ring, new OwnerQuestions(space, blocks, new PinList(blocks, 4)), () => 1);
  const client = new RingClient(ring, 0, timeoutMs, 1, () => {
    meanwhile(server);
    return null;
  });
  return { server, client };
}

function ends(made: Machine): Ends {
  let left = 0;
  const { server, client } = joined(made, 40, () => {
    if (left > 0) left -= server.poll(1);
  });
  return {
    server,
    transact(exchanges, op, addr, flags, attrs, bytes) {
      left = exchanges;
      client.transact(
        0,
        op,
        addr,
        flags,
        attrs,
        op === Op.LOAD ? undefined : bytes,
        op === Op.LOAD ? bytes : undefined,
      );
    },
  };
}

/** 192 bytes, three pieces: `first`, `first` + 1, `first` + 2, 64 times each. */
function pieces(first: number): Uint8Array {
  return Uint8Array.from({ length: 192 }, (_, i) => first + (i >>> 6));
}

it('A-60: a write that was given up between two pieces leaves nothing to the next one of its entry', () => {
  const made = machine();
  const { server, transact } = ends(made);
  const write = (exchanges: number, first: number) => () =>
    transact(exchanges, Op.WRITE, 0x100, THROW, MEMTXATTRS_UNSPECIFIED, pieces(first));
  expect(write(1, 0x10)).toThrow(expect.objectContaining({ code: 'owner-not-serving' }));
  write(3, 0x20)();
  const seen = new Uint8Array(192);
  made.space.readSlice(seen, 0x100);
  expect([...seen]).toEqual([...pieces(0x20)]);
  expect(server.served).toBe(1);
});

it('A-237: an hour in which the machine was suspended or the clock was set on ends no wait for the owner', () => {
  const made = machine();
  let now = 1_000_000;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
  const jumps = [3_600_000, -3_600_000, 3_600_000];
  const { client } = joined(made, 5000, (server) => {
    if (jumps.length === 0) server.poll(1);
    now += jumps.shift() ?? 0;
  });
  const bytes = new Uint8Array(4);
  client.transact(0, Op.LOAD, 0x1_0000, codecFlags(le32) | THROW, MEMTXATTRS_UNSPECIFIED, undefined, bytes);
  expect([made.reads.length, client.done]).toEqual([1, 4]);
  clock.mockRestore();
});

it('A-250: own attributes of a request that was given up do not go with the next one of its entry', () => {
  const made = machine();
  const { transact } = ends(made);
  const load = (exchanges: number, offset: number, attrs: MemTxAttrs) => () =>
    transact(exchanges, Op.LOAD, 0x1_0000 + offset, codecFlags(le32) | THROW, attrs, new Uint8Array(4));
  expect(load(1, 0, memTxAttrs({ world: 3 } as object))).toThrow(
    expect.objectContaining({ code: 'owner-not-serving' }),
  );
  load(1, 4, MEMTXATTRS_UNSPECIFIED)();
  load(2, 4, memTxAttrs({ world: 5 } as object))();
  expect(made.reads.map(({ offset, attrs }) => [offset, attrs.own])).toEqual([
    [4, null],
    [4, { world: 5 }],
  ]);
});

it('A-238: what the owner throws at the first piece of a transfer ends it, also where its record is longer than the payload', () => {
  const made = machine();
  const { server, transact } = ends(made);
  const write = (total: Uint8Array) => transact(9, Op.WRITE, 0x100, THROW, MEMTXATTRS_UNSPECIFIED, total);
  const huge = Object.defineProperty(pieces(1), 'length', { value: 2 ** 52 });
  expect(() => write(huge)).toThrow(expect.objectContaining({ code: 'remote-error' }));
  write(pieces(0x30));
  expect(made.space.load(0x100, le32)).toBe(0x3030_3030);
  expect(server.served).toBe(1);
});

it('D2: a request names every ready-made codec; others are the unsigned integer of their size', () => {
  const ready = Object.values(codecs).filter((each) => each instanceof ScalarCodec);
  expect(ready.length).toBeGreaterThan(20);
  for (const codec of ready) {
    const isOther = codec.kind === ScalarKind.OTHER;
    expect(codecOf(codecFlags(codec), codec.size).name).toBe(isOther ? codec.name.replace('16f', '16') : codec.name);
  }
});
