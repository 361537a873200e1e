/** A random machine as a plain description, the library's machine made of it, and the edits that both can follow. */
import { bufferBacking, type GuestAddress, sparseBacking } from '@guestmem/vm-memory';
import {
  type AddressSpace,
  DirtyClient,
  LogClient,
  MemoryCore,
  type MemoryRegion,
  type MemoryRegionOps,
  PageIommu,
  type PinnedView,
} from '../../src/index.ts';
import { answer, type NaivePage, type NaiveRegion, type NaiveRules, PAGE, reported, throws } from './naive-machine.ts';
import type { Random } from './random.ts';

/** Where regions lie: at 0, and across 2^31, 2^32, 2^53 and up to 2^64. Each place is 4 pages. */
export const PLACES: readonly bigint[] = [0n, 0x7fff_e000n, 0xffff_e000n, (1n << 53n) - 0x2000n, (1n << 64n) - 0x4000n];
const PLACE = 4n * PAGE;
const PAGES = 16;

export interface Description {
  readonly regions: readonly NaiveRegion[];
  readonly pages: readonly NaivePage[];
}

/** As a number where it is one. */
export function numbered(addr: bigint): GuestAddress {
  return addr <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(addr) : addr;
}

export function describeMachine(random: Random): Description {
  const regions: NaiveRegion[] = [];
  for (const place of PLACES)
    for (let n = 3 + random.below(4); n > 0; n--) {
      const unit = random.pick([PAGE, 0x100n, 0x10n, 1n]);
      const addr = place + unit * BigInt(random.below(Number(PLACE / unit)));
      const room = place + PLACE - addr;
      const size = random.once(4)
        ? BigInt(1 + random.below(24))
        : unit * BigInt(1 + random.below(Number(0x2000n / unit)));
      regions.push(describeRegion(random, regions, addr, size < room ? size : room));
    }
  return { regions, pages: Array.from({ length: PAGES }, () => describePage(random)) };
}

export function describePage(random: Random): NaivePage {
  return { to: random.pick(PLACES) + PAGE * BigInt(random.below(4)), perm: random.pick([3, 3, 3, 1, 2, 0]) };
}

function describeRegion(random: Random, others: readonly NaiveRegion[], addr: bigint, size: bigint): NaiveRegion {
  const targets = others.filter(({ kind }) => kind !== 'alias');
  const kinds = [
    'ram',
    'ram',
    'ram',
    'rom',
    'romDevice',
    'io',
    'io',
    'io',
    ...(targets.length > 0 ? (['alias'] as const) : []),
  ] as const;
  const kind = random.pick(kinds);
  const target = kind === 'alias' ? random.pick(targets) : null;
  const order = others.length;
  return {
    name: `${kind}${order}`,
    kind,
    size,
    priority: random.below(3),
    rules: describeRules(random),
    bytes: Uint8Array.from({ length: kind === 'io' || kind === 'alias' ? 0 : Number(size) }, () => random.below(256)),
    target,
    targetOffset: target === null ? 0n : BigInt(random.below(Number(target.size))),
    addr,
    order,
    enabled: true,
    readonly: kind === 'rom',
    romd: true,
    logged: false,
    dirty: new Set(),
  };
}

function describeRules(random: Random): NaiveRules {
  const implMin = random.pick([0, 0, 1, 2, 4, 8]);
  const implMax = Math.max(random.pick([0, 1, 2, 4, 8, 8]), implMin);
  const validMax = random.pick([0, 0, 1, 2, 4, 8, 8]);
  const validUnaligned = random.once(3);
  return {
    big: random.once(2),
    validMin: Math.min(random.pick([0, 0, 1, 2, 4]), validMax),
    validMax,
    validUnaligned,
    implMin,
    implMax: implMin === 0 && implMax === 0 ? 0 : implMax,
    implUnaligned: validUnaligned && random.once(2),
    plain: random.once(2),
  };
}

/** The library's machine. */
export class SurfaceMachine {
  readonly core = new MemoryCore();
  readonly log: string[] = [];
  readonly regions: readonly MemoryRegion[];
  readonly memory: AddressSpace;
  /** Behind an IOMMU of 16 pages. */
  readonly dma: AddressSpace;
  readonly iommu: PageIommu;
  /** The map as it was when it was pinned last. */
  pinned: PinnedView;
  readonly #pages: NaivePage[];

  constructor({ regions, pages }: Description) {
    const { core } = this;
    const made = new Map<NaiveRegion, MemoryRegion>();
    const root = core.container('root', 1n << 64n);
    this.memory = core.addressSpace(root, 'memory');
    core.transaction(() => {
      for (const each of regions) {
        const region = this.#make(each, made);
        made.set(each, region);
        root.addSubregionOverlap(each.addr, region, each.priority);
      }
    });
    this.regions = [...made.values()];
    this.#pages = [...pages];
    this.iommu = new PageIommu(this.memory, (offset) => {
      const { to, perm } = this.#pages[Number(BigInt(offset) / PAGE)]!;
      return { translatedAddr: numbered(to), perm };
    });
    this.dma = core.addressSpace(core.iommu('iommu', BigInt(PAGES) * PAGE, this.iommu), 'dma');
    this.pinned = this.memory.memory();
    this.clean();
  }

  /** Clears all dirty pages. */
  clean(): void {
    for (const { ram } of this.regions) ram?.dirty.testAndClear(0, ram.length, DirtyClient.VGA);
  }

  repin(): void {
    this.pinned.dispose();
    this.pinned = this.memory.memory();
  }

  setPage(page: number, to: NaivePage): void {
    this.#pages[page] = to;
    this.iommu.invalidate(null, page * Number(PAGE), Number(PAGE));
  }

  setLogged(index: number, on: boolean): void {
    this.regions[index]!.setLog(on, LogClient.VGA);
  }

  #make(each: NaiveRegion, made: ReadonlyMap<NaiveRegion, MemoryRegion>): MemoryRegion {
    const { core } = this;
    const { name, kind, size } = each;
    if (kind === 'alias') return core.alias(name, made.get(each.target!)!, each.targetOffset, size);
    const ops = this.#ops(each);
    if (kind === 'io') return core.io(name, size, ops);
    // Some in windows of a page.
    const backing =
      each.order % 3 === 0
        ? sparseBacking(each.bytes.length, { segmentSize: Number(PAGE) })
        : bufferBacking(each.bytes.length);
    for (const [i, byte] of each.bytes.entries()) {
      const { start, bytes } = backing.segmentAt(i);
      bytes[i - start] = byte;
    }
    return kind === 'ram'
      ? core.ram(name, backing)
      : kind === 'rom'
        ? core.rom(name, backing)
        : core.romDevice(name, backing, ops);
  }

  #ops({ name, rules, order }: NaiveRegion): MemoryRegionOps {
    const access = (offset: number, size: number, value: bigint | null): number => {
      this.log.push(value === null ? `${name} R${size}@${offset}` : `${name} W${size}@${offset}=${value.toString(16)}`);
      if (throws(offset)) throw new TypeError('broken');
      return reported(offset);
    };
    const read = (offset: number, size: number) => {
      const value = answer(name, offset, size);
      return Number(order % 2 === 0 ? value & 0xffff_ffffn : BigInt.asIntN(32, value));
    };
    const common = {
      endianness: rules.big ? 'big' : 'little',
      valid: { minAccessSize: rules.validMin, maxAccessSize: rules.validMax, unaligned: rules.validUnaligned },
      impl: { minAccessSize: rules.implMin, maxAccessSize: rules.implMax, unaligned: rules.implUnaligned },
    } as const;
    if (rules.plain)
      return {
        ...common,
        read(offset, size) {
          access(offset, size, null);
          return read(offset, size);
        },
        write: (offset, value, size) => void access(offset, size, BigInt(value)),
        read64(offset) {
          access(offset, 8, null);
          return answer(name, offset, 8);
        },
        write64: (offset, value) => void access(offset, 8, value),
      };
    return {
      ...common,
      readWithAttrs: (offset, size, _attrs, tx) => {
        tx.result |= access(offset, size, null);
        return read(offset, size);
      },
      writeWithAttrs: (offset, value, size, _attrs, tx) => {
        tx.result |= access(offset, size, BigInt(value));
      },
      read64WithAttrs: (offset, _attrs, tx) => {
        tx.result |= access(offset, 8, null);
        return answer(name, offset, 8);
      },
      write64WithAttrs: (offset, value, _attrs, tx) => {
        tx.result |= access(offset, 8, value);
      },
    };
  }
}
