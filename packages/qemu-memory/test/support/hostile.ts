/**
 * A hostile guest with hostile devices: random trees, rules and accesses up to the edge of 2^64; callbacks that throw, answer
 * nonsense, edit the tree and access memory themselves. Nothing may come out but what is documented, no byte outside a RAM
 * block may change, no access may run without end.
 */
import {
  be16,
  be32,
  be64,
  le16,
  le32,
  le32f,
  le64,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  MemTxError,
  memTxAttrs,
  u8,
} from '@guestmem/memtx';
import {
  type AddressSpace,
  DeviceError,
  MemoryCore,
  type MemoryRegion,
  type MemoryRegionOps,
} from '@guestmem/qemu-memory';
import {
  bufferBacking,
  type DisposableHandle,
  type GuestAddress,
  type ScalarCodec,
  segmentedBacking,
} from '@guestmem/vm-memory';
import { Random } from './random.ts';

/** What a campaign has tried and met. */
export interface CampaignReport {
  accesses: number;
  worlds: number;
  callbacks: number;
  edits: number;
  reentries: number;
  refused: number;
  deviceErrors: number;
  memTxErrors: number;
  /** What must stay empty: undocumented exceptions, canaries that died. */
  readonly faults: string[];
}

const CANARY = 0xc9;
const MARGIN = 64;
const CODECS = [u8, le16, be16, le32, be32, le64, be64, le32f] as unknown as readonly ScalarCodec<number | bigint>[];
const ATTRS = [
  MEMTXATTRS_UNSPECIFIED,
  memTxAttrs({ memory: true }),
  memTxAttrs({ debug: true }),
  memTxAttrs({ secure: true, requesterId: 0x1234 }),
];
const NONSENSE = [0, -1, Number.NaN, 2 ** 53, 1e300, undefined, 'text', 7n, null, {}] as const;

/** Runs `accesses` accesses in worlds of 500, from `seed`. */
export function campaign(seed: number, accesses: number): CampaignReport {
  const report: CampaignReport = {
    accesses: 0,
    worlds: 0,
    callbacks: 0,
    edits: 0,
    reentries: 0,
    refused: 0,
    deviceErrors: 0,
    memTxErrors: 0,
    faults: [],
  };
  while (report.accesses < accesses && report.faults.length < 10) {
    const world = new World(new Random(seed + report.worlds), report, `seed ${seed} world ${report.worlds}`);
    report.worlds++;
    for (let i = 0; i < 500 && report.accesses < accesses; i++) world.access();
    world.check();
  }
  return report;
}

class World {
  readonly #random: Random;
  readonly #report: CampaignReport;
  readonly #name: string;
  readonly #core: MemoryCore;
  readonly #root: MemoryRegion;
  readonly #regions: MemoryRegion[] = [];
  readonly #spaces: AddressSpace[] = [];
  readonly #buffers: Uint8Array[] = [];
  readonly #taps: DisposableHandle[] = [];
  /** Callbacks that the running access may still make before the devices calm down. */
  #budget = 0;
  #depth = 0;

  constructor(random: Random, report: CampaignReport, name: string) {
    this.#random = random;
    this.#report = report;
    this.#name = name;
    this.#core = new MemoryCore({ targetOrder: random.once(2) ? 'big' : 'little', translatesCode: random.once(4) });
    this.#root = this.#core.container('root', 1n << 64n);
    this.#core.access.observer = random.once(3) ? { refused: () => void report.refused++ } : null;
    const count = 4 + random.below(12);
    this.#spaces.push(this.#core.addressSpace(this.#root, 'first'));
    this.#core.transaction(() => {
      for (let i = 0; i < count; i++) this.#addRegion();
    });
    const bus = this.#regions.find((region) => region.iommu !== null);
    if (bus !== undefined)
      this.#spaces.push(this.#core.addressSpace(this.#core.alias('bus', bus, 0, 1n << 64n), 'dma'));
  }

  access(): void {
    const random = this.#random;
    this.#report.accesses++;
    this.#budget = 40;
    const space = random.pick(this.#spaces);
    const tx = random.once(4) ? null : new MemTx();
    const what = random.below(16);
    const addr = this.#address();
    if (random.once(60)) this.#edit();
    try {
      this.#perform(space, what, addr, tx);
    } catch (error) {
      this.#judge(error, tx, `${what} at ${addr}`);
    }
    if (space.core.access.depth !== 0) this.#fault(`depth ${space.core.access.depth} after ${what} at ${addr}`);
  }

  /** No canary has changed. */
  check(): void {
    for (const buffer of this.#buffers)
      for (let i = 0; i < MARGIN; i++)
        if (buffer[i] !== CANARY || buffer[buffer.length - 1 - i] !== CANARY) {
          this.#fault('a canary was overwritten');
          return;
        }
  }

  #perform(space: AddressSpace, what: number, addr: GuestAddress, tx: MemTx | null): void {
    const random = this.#random;
    const attrs = random.pick(ATTRS);
    const codec = random.pick(CODECS);
    const len = random.once(50) ? random.below(20000) : random.below(40);
    const value =
      codec.size === 8 ? BigInt(random.below(2 ** 31)) << 32n : random.below(256 ** Math.min(codec.size, 3));
    if (what < 5) space.txLoad(addr, codec, attrs, tx);
    else if (what < 9) space.txStore(addr, codec, value, attrs, tx);
    else if (what < 11) space.txRead(addr, new Uint8Array(len), attrs, random.once(2) ? 'stop' : 'continue', tx);
    else if (what < 13)
      space.txWrite(addr, new Uint8Array(len).fill(0xaa), attrs, random.once(2) ? 'stop' : 'continue', tx);
    else if (what === 13) {
      const mapping = space.mapRange(addr, len, random.once(2) ? 'read' : 'write', attrs);
      mapping?.bytes.fill(0x55);
      mapping?.unmap(random.below(mapping.length + 1));
    } else if (what === 14) {
      if (random.once(2)) space.accessValid(addr, len, random.once(2) ? 'read' : 'write', attrs);
      else space.set(addr, 0xee, len, attrs, tx ?? new MemTx());
      space.writeRom(addr, new Uint8Array(len % 32).fill(0x77));
      for (const chunk of space.chunks(addr, len % 64, 'write', attrs)) chunk.bytes?.fill(0x11);
    } else {
      const cache = space.cache(addr, len + 1, 'write');
      try {
        if (cache.length >= codec.size) cache.store(cache.length - codec.size, codec, value, tx);
        cache.read(0, new Uint8Array(Math.min(cache.length, 9)), tx);
      } finally {
        cache.dispose();
      }
    }
  }

  /** With a place for the result only a device may throw; without one also the result itself. */
  #judge(error: unknown, tx: MemTx | null, where: string): void {
    if (error instanceof DeviceError) this.#report.deviceErrors++;
    else if (error instanceof MemTxError && tx === null) this.#report.memTxErrors++;
    else this.#fault(`${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  #fault(what: string): void {
    this.#report.faults.push(`${this.#name}: ${what}`);
  }

  /** Addresses at the edges of things: regions, 2^32, 2^53, 2^64. */
  #address(): GuestAddress {
    const random = this.#random;
    const near = BigInt(random.below(17) - 8);
    const anchors = [0n, 1n << 32n, 1n << 53n, (1n << 64n) - 1n];
    const kind = random.below(8);
    let at: bigint;
    if (kind < 5 && this.#regions.length > 0) {
      const region = random.pick(this.#regions);
      at = region.addr + (random.once(3) ? region.size : 0n) + (random.once(3) ? BigInt(random.below(0x2000)) : near);
    } else if (kind < 7) at = random.pick(anchors) + near;
    else at = BigInt(random.below(2 ** 31));
    at = BigInt.asUintN(64, at);
    return at <= BigInt(Number.MAX_SAFE_INTEGER) && !random.once(8) ? Number(at) : at;
  }

  #place(): bigint {
    const random = this.#random;
    const anchors = [0n, 0x1000n, 0x8000n, (1n << 32n) - 0x800n, (1n << 53n) - 0x800n, (1n << 64n) - 0x1000n];
    return random.pick(anchors) + BigInt(random.below(0x2000)) * (random.once(2) ? 1n : 8n);
  }

  #addRegion(): void {
    const random = this.#random;
    const core = this.#core;
    const size = random.once(4) ? 1 + random.below(16) : 1 + random.below(0x3000);
    const owner = random.once(2) ? {} : null;
    const kind = random.below(11);
    let region: MemoryRegion;
    if (kind < 3) region = core.ram('ram', this.#memory(size), { size: random.once(5) ? size + 100 : size });
    else if (kind === 3) region = core.rom('rom', this.#memory(size));
    else if (kind === 4) region = core.romDevice('flash', this.#memory(size), this.#ops(), { owner });
    else if (kind === 5) region = core.ramDevice('vfio', this.#memory(size));
    else if (kind < 8) region = core.io('dev', random.once(6) ? 1n << 60n : size, this.#ops(), { owner });
    else if (kind === 8) region = core.reservation('hidden', size);
    else if (kind === 9 && this.#regions.length > 0)
      region = core.alias('alias', random.pick(this.#regions), random.below(64), size, { readonly: random.once(3) });
    else region = this.#iommu();
    if (random.once(3)) region.setLog(true, 0);
    this.#root.addSubregion(BigInt.asUintN(64, this.#place()), region, random.below(5) - 2);
    this.#regions.push(region);
  }

  /** A block with canaries on both sides, sometimes in two pieces. */
  #memory(size: number): ReturnType<typeof bufferBacking> {
    const buffer = new Uint8Array(size + 2 * MARGIN).fill(CANARY);
    buffer.fill(0, MARGIN, MARGIN + size);
    this.#buffers.push(buffer);
    const half = (size >>> 4) << 3;
    if (half === 0 || this.#random.once(2)) return bufferBacking(buffer.subarray(MARGIN, MARGIN + size));
    return segmentedBacking([buffer.subarray(MARGIN, MARGIN + half), buffer.subarray(MARGIN + half, MARGIN + size)]);
  }

  #iommu(): MemoryRegion {
    const random = this.#random;
    return this.#core.iommu('iommu', 1n << 64n, {
      attrsToIndex: (attrs) => Number(attrs.secure),
      numIndexes: () => 2,
      translate: (offset) => {
        this.#misbehave();
        const bits = random.pick([0, 3, 12, 12, 30, 40, 63]);
        return {
          targetAs: random.pick(this.#spaces),
          iova: offset,
          translatedAddr: random.once(2) ? BigInt.asUintN(64, this.#place()) : random.below(0x10000),
          addrMask: bits < 32 ? 2 ** bits - 1 : (1n << BigInt(bits)) - 1n,
          perm: random.below(4),
        };
      },
    });
  }

  #ops(): MemoryRegionOps {
    const random = this.#random;
    const size = (): number => random.pick([0, 0, 1, 2, 4, 8]);
    const [a, b] = [size(), size()];
    const answer = (): never => {
      this.#misbehave();
      return (random.once(8) ? random.pick(NONSENSE) : random.below(2 ** 31)) as never;
    };
    return {
      endianness: random.pick(['little', 'big', 'native']),
      valid: {
        minAccessSize: b === 0 ? a : Math.min(a, b),
        maxAccessSize: b,
        unaligned: random.once(2),
        ...(random.once(3) ? { accepts: () => this.#misbehave() || !random.once(4) } : {}),
      },
      impl: { minAccessSize: size(), maxAccessSize: size(), unaligned: random.once(2) },
      ...(random.once(2) ? { read: answer, write: answer } : { readWithAttrs: answer, writeWithAttrs: answer }),
      ...(random.once(2)
        ? { read64: () => BigInt.asUintN(64, BigInt(answer() ?? 0)), write64: answer }
        : {
            readHalves: (_offset, out) => {
              out.lo = answer();
            },
            writeHalves: answer,
          }),
      ...(random.once(2) ? { peek: () => random.below(256) } : {}),
    };
  }

  /** What a callback does beside answering. @returns false, for use in expressions. */
  #misbehave(): false {
    const random = this.#random;
    this.#report.callbacks++;
    if (this.#budget-- <= 0) return false;
    const choice = random.below(24);
    if (choice === 0) throw new Error('a device broke');
    if (choice === 1) this.#edit();
    if (choice < 2 || choice > 5 || this.#depth > 80) return false;
    this.#report.reentries++;
    this.#depth++;
    const tx = random.once(3) ? null : new MemTx();
    try {
      this.#perform(random.pick(this.#spaces), random.below(13), this.#address(), tx);
    } catch (error) {
      this.#judge(error, tx, 'inside a callback');
      if (random.once(2)) throw error;
    } finally {
      this.#depth--;
    }
    return false;
  }

  #edit(): void {
    const random = this.#random;
    this.#report.edits++;
    const region = random.pick(this.#regions);
    const choice = random.below(9);
    if (choice === 0) region.setEnabled(!region.enabled);
    else if (choice === 1) region.setAddress(BigInt.asUintN(64, this.#place()));
    else if (choice === 2) region.setReadonly(!region.readonly);
    else if (choice === 3) region.romDeviceSetRomd(!region.romdMode);
    else if (choice === 4) region.setSize(1 + random.below(0x4000));
    else if (choice === 5 && this.#regions.length < 24) this.#core.transaction(() => this.#addRegion());
    else if (choice === 6)
      this.#core.access.observer = random.once(2) ? { refused: () => void this.#report.refused++ } : null;
    else if (choice === 7) this.#taps.pop()?.dispose();
    else if (this.#taps.length < 3) {
      const at = this.#address();
      if (BigInt(at) + 64n < 1n << 64n) this.#taps.push(random.pick(this.#spaces).tap(at, 64, () => undefined));
    }
  }
}
