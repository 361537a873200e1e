/** The bars: which row is held against which, and how much is allowed. Ratios are of medians, ours over the other's. */

/** One bar. Time ratios (`at most`), or for transfers the other's time over ours (`at least`, a ratio of throughputs). */
export interface Bar {
  readonly label: string;
  readonly ours: string;
  readonly theirs: string;
  readonly kind: 'time' | 'throughput';
  readonly bound: number;
}

const time = (label: string, ours: string, theirs: string, bound: number): Bar => ({
  label,
  ours,
  theirs,
  kind: 'time',
  bound,
});
const rate = (label: string, ours: string, theirs: string, bound: number): Bar => ({
  label,
  ours,
  theirs,
  kind: 'throughput',
  bound,
});

const both = (what: string, ours: string, make: (name: 'load32' | 'store32', verb: string) => Bar): readonly Bar[] =>
  (['load32', 'store32'] as const).map((name) => make(name, `${name === 'load32' ? 'load' : 'store'} ${what} ${ours}`));

export const bars: readonly Bar[] = [
  ...both('u32, one section,', 'hot : native', (n, l) => time(l, `space/${n}/hot`, `native-plain/${n}/hot`, 1)),
  ...both('u32, one section,', 'hot : floor', (n, l) => time(l, `space/${n}/hot`, `floor/${n}/hot`, 1.5)),
  ...both('u32, eight sections,', 'hot across : native', (n, l) =>
    time(l, `space/${n}/hot8`, `native-plain/${n}/hot8`, 1),
  ),
  ...both('u32, eight sections,', 'hot across : floor', (n, l) => time(l, `space/${n}/hot8`, `floor/${n}/hot8`, 3)),
  ...both('u32,', 'seq : native', (n, l) => time(l, `space/${n}/seq`, `native-plain/${n}/seq`, 1)),
  ...both('u32,', 'rand in region : native', (n, l) => time(l, `space/${n}/rand`, `native-plain/${n}/rand`, 1)),
  ...(['readObj32', 'readObj64n', 'writeObj32', 'writeObj64n'] as const).map((n) =>
    time(`${n} : native`, `space/${n}/hot`, `native-plain/${n}/hot`, 1),
  ),
  time(
    'store u32, page already dirty : native AtomicBitmap',
    'space-dirty/store32/hot',
    'native-bitmap/store32/hot',
    0.6,
  ),
  time('store u32, first touch : native AtomicBitmap', 'space-dirty/touch32/touch', 'native-bitmap/touch32/touch', 1.2),
  ...both('u32', 'through snapshot : GuestMemoryAtomic', (n, l) =>
    time(l, `space/${n}/hot`, `native-atomic/${n}/hot`, 0.5),
  ),
  time('load u64 as bigint : getBigUint64', 'space/load64/hot', 'floor/load64/hot', 1.15),
  rate('read 4 KiB, hot : Uint8Array.set', 'space/read4K/hot', 'floor/read4K/hot', 0.85),
  rate('write 4 KiB, hot : Uint8Array.set', 'space/write4K/hot', 'floor/write4K/hot', 0.85),
  rate('read 1 MiB : Uint8Array.set', 'space/read1M/hot', 'floor/read1M/hot', 0.97),
  rate('write 1 MiB : Uint8Array.set', 'space/write1M/hot', 'floor/write1M/hot', 0.97),
  ...(['read4K', 'write4K', 'read1M', 'write1M'] as const).map((n) =>
    rate(`${n} : native`, `space/${n}/hot`, `native-plain/${n}/hot`, 0.9),
  ),
  time('device read, one handler : floor', 'space/device/device1', 'floor/load32/hot', 4),
  time('device read, one handler : v86', 'space/device/device1', 'v86/device/device1', 0.6),
  time('device read, one handler : rp2040js', 'space/device/device1', 'rp2040js/device/device1', 0.3),
  time('device read, eight classes in turn : v86', 'space/device/device8', 'v86/device/device8', 1),
  time('RAM read : v86', 'space/load32/hot', 'v86/load32/hot', 0.9),
  time('RAM read : rp2040js', 'space/load32/hot', 'rp2040js/load32/hot', 0.5),
  time('RAM write : v86', 'space/store32/hot', 'v86/store32/hot', 0.1),
  time('RAM write : rp2040js', 'space/store32/hot', 'rp2040js/store32/hot', 0.15),
  time('hole, result vocabulary : v86', 'space/hole/hot', 'v86/hole/hot', 0.1),
  time('hole, result vocabulary : device read', 'space/hole/hot', 'space/device/device1', 2),
  time('IOMMU hit, 1 entry : own direct load', 'space/iommu1/hot', 'space/load32/hot', 3),
  time('IOMMU hit, 16384 entries : own direct load', 'space/iommu16384/pages', 'space/load32/rand', 5),
];

/** Rows whose accesses must not allocate. */
export const noAllocation = (id: string): boolean =>
  /^(space|space-dirty|view|vm|vm-dirty|vm-atomic|attached)\//.test(id) && !/load64\/|4K|1M/.test(id);
