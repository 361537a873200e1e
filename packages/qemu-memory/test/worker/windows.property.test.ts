/**
 * RAM in many pieces, of an attached space in this thread: near each other and far apart, below and above 2^32, moved and logged
 * between accesses. Each piece is a plain array to the model.
 */
import { le16, le32, le64, u8 } from '@guestmem/memtx';
import { bufferBacking, type ScalarCodec } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { attach, LogClient, MemoryCore, memoryRegionGetDirty, memoryRegionResetDirty } from '../../src/index.ts';
import { Random } from '../support/random.ts';

const PAGE = 0x1000;
const MIB = 0x10_0000;
const GIB = 0x4000_0000;
/** Close together, an entry of 16 MiB on, at the end of 2^32 and from there on. */
const PLACES = [0, PAGE, MIB, MIB + 3 * PAGE, 17 * MIB, 2 * GIB, 4 * GIB - PAGE, 4 * GIB, 4 * GIB + MIB, 9 * GIB];
const CODECS: readonly ScalarCodec<number | bigint>[] = [u8, le16, le32, le64] as never;

function run(seed: number): void {
  const random = new Random(seed);
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const blocks = PLACES.map((_, i) => bufferBacking(2 * (1 + (i % 3)) * PAGE, { shared: true }));
  const pieces = blocks.map((block, i) => core.ram(`piece ${i}`, block));
  const models = blocks.map((block) => new DataView(new ArrayBuffer(block.length)));
  const written = pieces.map(() => new Set<number>());
  /** Which piece is where; a piece may hide the end of the one below it, as its priority is higher. */
  const where: (number | null)[] = PLACES.map((place) => place);
  for (const [i, piece] of pieces.entries()) {
    piece.setLog(true, LogClient.VGA);
    root.addSubregionOverlap(PLACES[i]!, piece, i);
  }
  const shared = core.addressSpace(root, 'memory').share();
  const far = attach(shared.handle(), { flavour: 'quiescent' });
  shared.connect({ postMessage: (news) => void far.news(news) });
  const at = (addr: number): number =>
    where.reduce<number>((top, place, i) => {
      const off = place === null ? -1 : addr - place;
      return off >= 0 && off < blocks[i]!.length ? i : top;
    }, -1);

  for (const [i, block] of blocks.entries()) memoryRegionResetDirty(pieces[i]!, 0, block.length, LogClient.VGA);
  for (let step = 0; step < 2500; step++) {
    if (random.below(40) === 0) {
      const i = random.below(pieces.length);
      where[i] = where[i] === null ? PLACES[i]! : null;
      pieces[i]!.setEnabled(where[i] !== null);
      far.quiescent();
    }
    const codec = random.pick(CODECS);
    const addr = random.pick(PLACES) + random.below(3 * PAGE);
    const i = at(addr);
    const told = `seed ${seed}, step ${step}: ${codec.name} at 0x${addr.toString(16)}`;
    if (i < 0 || at(addr + codec.size - 1) !== i) continue;
    const off = addr - where[i]!;
    if (random.below(2) === 0) expect(far.load(addr, codec), told).toBe(codec.get(models[i]!, off));
    else {
      const bits = random.below(2 ** (8 * Math.min(codec.size, 4)));
      const value = codec === (le64 as unknown) ? BigInt(bits) << 20n : bits;
      far.store(addr, codec, value);
      codec.set(models[i]!, off, value);
      for (let byte = off; byte < off + codec.size; byte++) written[i]!.add(Math.floor(byte / PAGE));
    }
  }
  for (const [i, block] of blocks.entries()) {
    expect(block.segmentAt(0).bytes, `seed ${seed}: piece ${i}`).toEqual(new Uint8Array(models[i]!.buffer));
    for (let page = 0; page < block.length / PAGE; page++)
      expect(memoryRegionGetDirty(pieces[i]!, page * PAGE, PAGE, LogClient.VGA), `seed ${seed}: ${i}, ${page}`).toBe(
        written[i]!.has(page),
      );
  }
  far.detach();
  shared.close();
}

it('A-70, A-187, A-236: an attached space finds each of many pieces of RAM, and marks what it wrote', () => {
  for (let seed = 1; seed <= 12; seed++) run(seed);
});
