/**
 * Accesses relative to a raw DataView (or Uint8Array.set) loop in the same process: `node -C dist bench/access.mjs [row...]`
 * after a build. Each row runs in a fresh process, checks first that both sides compute the same, and reports the median
 * CPU time per access over rounds that alternate the two; then the heap growth over 10^7 accesses.
 */
import { spawnSync } from 'node:child_process';
import { argv, cpuUsage, execArgv, execPath, memoryUsage, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { guestMemory, inOrder, Ordering, struct, u8, u16, u32, u64, u64Number } from '@guestmem/vm-memory';

const SIZE = 1 << 20;
const BASE = 0x10_0000;
const le8 = u8;
const le16 = inOrder(u16, 'little');
const le32 = inOrder(u32, 'little');
const le64 = inOrder(u64, 'little');
const le64n = inOrder(u64Number, 'little');
const be32 = inOrder(u32, 'big');

/** Plain memory with known contents, in `count` regions with gaps, and the raw view of the same pattern. */
function setUp(count, options = {}) {
  const bytes = new Uint8Array(SIZE);
  for (let i = 0; i < SIZE; i++) bytes[i] = (i * 7) & (i % 8 >= 6 ? 0 : 0xff);
  const each = SIZE / count;
  const memory = guestMemory(
    Array.from({ length: count }, (_, i) => ({
      startAddr: BASE + i * 2 * each,
      memory: bytes.slice(i * each, (i + 1) * each),
    })),
    options,
  );
  return { memory, view: new DataView(bytes.buffer), bytes };
}

/** Offset i of a walk that is neither sequential nor random: 68 bytes on, wrapping; aligned to 4. */
const MASK = SIZE - 8;

/** name -> () => [raw, ours, bar], where both take (n) and give a checksum. */
const ROWS = {
  'load-u32/one-region': () => {
    const { memory, view } = setUp(1);
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + view.getUint32((i * 68) & MASK, true)) | 0;
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + memory.load(BASE + ((i * 68) & MASK), le32)) | 0;
        return sum;
      },
      1.6,
    ];
  },
  // Both sides take their object from an array, so the engine can take neither for a constant.
  'load-u32/one-region-of-two-memories': () => {
    const two = [setUp(1), setUp(1)];
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + two[i & 1].view.getUint32((i * 68) & MASK, true)) | 0;
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + two[i & 1].memory.load(BASE + ((i * 68) & MASK), le32)) | 0;
        return sum;
      },
    ];
  },
  'store-u32/one-region': () => {
    const { memory, view } = setUp(1);
    return [
      (n) => {
        for (let i = 0; i < n; i++) view.setUint32((i * 68) & MASK, i, true);
        return view.getUint32(680, true);
      },
      (n) => {
        for (let i = 0; i < n; i++) memory.store(BASE + ((i * 68) & MASK), le32, i);
        return memory.load(BASE + 680, le32);
      },
      1.6,
    ];
  },
  'store-u32/one-region-dirty-bitmap': () => {
    const { memory, view } = setUp(1, { dirtyPageSize: 4096 });
    return [
      (n) => {
        for (let i = 0; i < n; i++) view.setUint32((i * 68) & MASK, i, true);
        return view.getUint32(680, true);
      },
      (n) => {
        for (let i = 0; i < n; i++) memory.store(BASE + ((i * 68) & MASK), le32, i);
        return memory.load(BASE + 680, le32);
      },
    ];
  },
  'load-u32/mixed-codecs': () => {
    const { memory, view } = setUp(1);
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i += 4) {
          const at = (i * 68) & MASK;
          sum = (sum + view.getUint8(at)) | 0;
          sum = (sum + view.getUint16(at + 2, true)) | 0;
          sum = (sum + view.getUint32(at, true)) | 0;
          sum = (sum + view.getUint32(at, false)) | 0;
        }
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i += 4) {
          const at = BASE + ((i * 68) & MASK);
          sum = (sum + memory.load(at, le8)) | 0;
          sum = (sum + memory.load(at + 2, le16)) | 0;
          sum = (sum + memory.load(at, le32)) | 0;
          sum = (sum + memory.load(at, be32)) | 0;
        }
        return sum;
      },
    ];
  },
  'load-u64-number/one-region': () => {
    const { memory, view } = setUp(1);
    const mask = MASK & ~7;
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const at = (i * 72) & mask;
          sum += view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
        }
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += memory.load(BASE + ((i * 72) & mask), le64n);
        return sum;
      },
    ];
  },
  'load-u64-bigint/one-region': () => {
    const { memory, view } = setUp(1);
    const mask = MASK & ~7;
    return [
      (n) => {
        let sum = 0n;
        for (let i = 0; i < n; i++) sum = BigInt.asUintN(64, sum + view.getBigUint64((i * 72) & mask, true));
        return sum;
      },
      (n) => {
        let sum = 0n;
        for (let i = 0; i < n; i++) sum = BigInt.asUintN(64, sum + memory.load(BASE + ((i * 72) & mask), le64));
        return sum;
      },
    ];
  },
  'read-obj-u32/one-region': () => {
    const { memory, view } = setUp(1);
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + view.getUint32((i * 68) & MASK, true)) | 0;
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + memory.readObj(BASE + ((i * 68) & MASK), le32)) | 0;
        return sum;
      },
      2,
    ];
  },
  'write-obj-u32/one-region': () => {
    const { memory, view } = setUp(1);
    return [
      (n) => {
        for (let i = 0; i < n; i++) view.setUint32((i * 68) & MASK, i, true);
        return view.getUint32(680, true);
      },
      (n) => {
        for (let i = 0; i < n; i++) memory.writeObj(BASE + ((i * 68) & MASK), le32, i);
        return memory.load(BASE + 680, le32);
      },
      2,
    ];
  },
  'load-u32/eight-regions-each-in-turn': () => eight((i) => i & 7),
  'load-u32/eight-regions-random': () => eight((i) => (Math.imul(i, 0x9e37_79b1) >>> 29) & 7),
  'load-u32/eight-regions-64-at-a-time': () => eight((i) => (i >>> 6) & 7),
  'store-u32/eight-regions-each-in-turn': () => eightStore((i) => i & 7),
  'store-u32/eight-regions-random': () => eightStore((i) => (Math.imul(i, 0x9e37_79b1) >>> 29) & 7),
  'struct-accessor/move-and-read-four-fields': () => {
    const { memory, view } = setUp(1);
    const fields = { addr: u64Number, len: u32, flags: u16, next: u16 };
    const Descriptor = struct({ nested: struct(fields, { order: 'little' }) }, { order: 'little' });
    for (let at = 0; at < SIZE; at += 4) view.setUint32(at, at % 16 === 4 ? 0 : at & 0xff_ffff, true);
    memory.writeSlice(new Uint8Array(view.buffer), BASE);
    const entry = Descriptor.accessor(memory, BASE);
    const mask = MASK & ~15;
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const at = (i * 80) & mask;
          const high = view.getUint32(at + 4, true) * 0x1_0000_0000;
          sum = (sum + high + view.getUint32(at, true) + view.getUint32(at + 8, true)) | 0;
          sum = (sum + view.getUint16(at + 12, true) + view.getUint16(at + 14, true)) | 0;
        }
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const { nested } = entry.$move(BASE + ((i * 80) & mask));
          sum = (sum + nested.addr + nested.len) | 0;
          sum = (sum + nested.flags + nested.next) | 0;
        }
        return sum;
      },
    ];
  },
  'load-u32-seq-cst/one-region': () => {
    const { memory, bytes } = setUp(1);
    const cells = new Int32Array(bytes.buffer);
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + Atomics.load(cells, ((i * 68) & MASK) >>> 2)) | 0;
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum = (sum + memory.load(BASE + ((i * 68) & MASK), le32, Ordering.SEQ_CST)) | 0;
        return sum;
      },
    ];
  },
  'store-u32-seq-cst/one-region': () => {
    const { memory, bytes } = setUp(1);
    const cells = new Int32Array(bytes.buffer);
    return [
      (n) => {
        for (let i = 0; i < n; i++) Atomics.store(cells, ((i * 68) & MASK) >>> 2, i);
        return cells[170];
      },
      (n) => {
        for (let i = 0; i < n; i++) memory.store(BASE + ((i * 68) & MASK), le32, i, Ordering.SEQ_CST);
        return memory.load(BASE + 680, le32);
      },
    ];
  },
  'read-8-bytes/one-region': () => {
    const { memory, bytes } = setUp(1);
    const buf = new Uint8Array(8);
    return [
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const at = (i * 72) & (MASK & ~7);
          buf.set(bytes.subarray(at, at + 8));
          sum += buf[i & 7];
        }
        return sum;
      },
      (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          memory.read(buf, BASE + ((i * 72) & (MASK & ~7)));
          sum += buf[i & 7];
        }
        return sum;
      },
    ];
  },
  'read-4k/one-region': () => {
    const { memory, bytes } = setUp(1);
    const buf = new Uint8Array(4096);
    return [
      (n) => {
        for (let i = 0; i < n; i++) {
          const at = (i * 4160) & (SIZE / 2 - 1);
          buf.set(bytes.subarray(at, at + 4096));
        }
        return buf[77];
      },
      (n) => {
        for (let i = 0; i < n; i++) memory.read(buf, BASE + ((i * 4160) & (SIZE / 2 - 1)));
        return buf[77];
      },
      1 / 0.8,
    ];
  },
  'write-4k/one-region': () => {
    const { memory, bytes } = setUp(1);
    const buf = bytes.slice(100, 4196);
    return [
      (n) => {
        for (let i = 0; i < n; i++) bytes.set(buf, (i * 4160) & (SIZE / 2 - 1));
        return bytes[4177];
      },
      (n) => {
        for (let i = 0; i < n; i++) memory.write(buf, BASE + ((i * 4160) & (SIZE / 2 - 1)));
        return memory.load(BASE + 4177, u8);
      },
      1 / 0.8,
    ];
  },
};

/** Loads whose region `pick` chooses; the raw loop does the same arithmetic on one view. */
function eight(pick) {
  const { memory, view } = setUp(8);
  const each = SIZE / 8;
  const mask = each - 8;
  return [
    (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + view.getUint32(pick(i) * each + ((i * 68) & mask), true)) | 0;
      return sum;
    },
    (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + memory.load(BASE + pick(i) * 2 * each + ((i * 68) & mask), le32)) | 0;
      return sum;
    },
    3,
  ];
}

function eightStore(pick) {
  const { memory, view } = setUp(8);
  const each = SIZE / 8;
  const mask = each - 8;
  return [
    (n) => {
      for (let i = 0; i < n; i++) view.setUint32(pick(i) * each + ((i * 68) & mask), i, true);
      return view.getUint32(680, true);
    },
    (n) => {
      for (let i = 0; i < n; i++) memory.store(BASE + pick(i) * 2 * each + ((i * 68) & mask), le32, i);
      return memory.load(BASE + 680, le32);
    },
    3,
  ];
}

/** In calls of 8000 accesses: a function that only ever runs one long loop may stay in a lower tier (seen on Node 26). */
function cpuNs(run, n) {
  const calls = n / 8000;
  const before = cpuUsage();
  for (let i = 0; i < calls; i++) run(8000);
  const { user, system } = cpuUsage(before);
  return ((user + system) * 1000) / n;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function runRow(name) {
  const [raw, ours, bar] = ROWS[name]();
  const bulk = name.includes('4k');
  const n = bulk ? 200_000 : 4_000_000;
  for (const count of [4096, n]) {
    const expected = raw(count);
    const got = ours(count);
    if (expected !== got) throw new Error(`${name}: raw computes ${expected}, vm-memory ${got}`);
  }
  const raws = [];
  const mine = [];
  for (let round = 0; round < 15; round++) {
    raws.push(cpuNs(raw, n));
    mine.push(cpuNs(ours, n));
  }
  const ratios = mine.map((value, i) => value / raws[i]);
  const a = median(raws);
  const b = median(mine);
  const grown = heapGrowth(ours, bulk ? 500_000 : 10_000_000);
  console.log(
    [
      name.padEnd(40),
      `raw ${a.toFixed(2)} ns`.padStart(14),
      `ours ${b.toFixed(2)} ns`.padStart(15),
      `ratio ${median(ratios).toFixed(2)}`.padStart(12),
      (bar === undefined ? '' : `bar ${bar.toFixed(2)} ${median(ratios) <= bar ? 'met' : 'MISSED'}`).padStart(16),
      `heap ${grown} B`.padStart(16),
    ].join(' '),
  );
}

/** Bytes by which the young generation and the rest grow over `n` accesses, without a collection in between if possible. */
function heapGrowth(run, n) {
  globalThis.gc?.();
  const before = memoryUsage().heapUsed;
  run(n);
  return memoryUsage().heapUsed - before;
}

const [, , ...args] = argv;
if (args[0] === '--row') runRow(args[1]);
else {
  console.log(`node ${version}`);
  for (const name of Object.keys(ROWS).filter((row) => args.length === 0 || args.some((arg) => row.includes(arg))))
    spawnSync(execPath, [...execArgv, '--expose-gc', fileURLToPath(import.meta.url), '--row', name], {
      stdio: 'inherit',
    });
}
