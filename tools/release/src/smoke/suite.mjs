/**
 * What must work wherever JavaScript runs: every layer once, from the published packages, without a built-in of any
 * runtime. Throws at the first thing that is not so; gives a sentence that says how much was checked.
 */
import { HPET_SIZE, Hpet, VirtualClock } from '@guestmem/devices';
import { be32, GuestDataView, le16, le32, le64, le64n, MemTx, MemTxResult, memTxAttrs } from '@guestmem/memtx';
import { buildMap, MemoryCore, parseMtree, printMtree } from '@guestmem/qemu-memory';
import { bufferBacking, guestMemory, sparseBacking, u32 } from '@guestmem/vm-memory';

let checks = 0;

/** Fails unless both are the same. */
function same(what, got, wanted) {
  checks++;
  if (!Object.is(got, wanted)) throw new Error(`${what}: got ${String(got)}, wanted ${String(wanted)}`);
}

/** Fails unless `job` throws an error of that name. */
function refuses(what, job, name) {
  checks++;
  try {
    job();
  } catch (error) {
    if (error.name === name) return;
    throw new Error(`${what}: threw ${error.name}: ${error.message}, wanted ${name}`);
  }
  throw new Error(`${what}: nothing was thrown, wanted ${name}`);
}

/** vm-memory: plain RAM, on unshared and (where the runtime allows it) shared buffers. */
function plainMemory() {
  const memory = guestMemory([
    { startAddr: 0, memory: 0x1000 },
    { startAddr: 0x1000, memory: 0x1000 },
  ]);
  memory.write(Uint8Array.of(1, 2, 3, 4, 5, 6), 0xffd);
  const buffer = new Uint8Array(6);
  same('read over a border', memory.read(buffer, 0xffd), 6);
  same('bytes over a border', buffer.join(), '1,2,3,4,5,6');
  memory.store(0x10, le32, 0xdead_beef);
  same('load le32', memory.load(0x10, le32), 0xdead_beef);
  same('load be32', memory.load(0x10, be32), 0xefbe_adde);
  same('bigint address', memory.load(0x10n, le32), 0xdead_beef);
  memory.store(0x20, le64, 0x1122_3344_5566_7788n);
  same('64 bits', memory.load(0x20, le64), 0x1122_3344_5566_7788n);
  refuses('fractional address', () => memory.load(0.5, u32), 'RangeError');
  refuses('hole', () => memory.load(0x5000, u32), 'GuestMemoryError');
}

/** memtx: the DataView look-alike. */
function dataView(space) {
  const view = new GuestDataView(space.with({}), 0x100, 0x100);
  view.setUint16(2, 0x1234, true);
  same('DataView', view.getUint16(2, false), 0x3412);
  refuses('DataView bounds', () => view.getUint32(0xfe), 'RangeError');
}

/** qemu-memory: a small machine with RAM, a device, a hole, and a map that changes. */
function machine() {
  const core = new MemoryCore({ targetOrder: 'little' });
  const root = core.container('system', 1n << 64n);
  const space = core.addressSpace(root, 'memory');
  const shared = typeof SharedArrayBuffer === 'function';
  const ram = core.ram('ram', shared ? bufferBacking(0x10000, { shared: true }) : sparseBacking(0x10000));
  let seen = 0;
  const device = core.io('device', 0x1000, {
    endianness: 'big',
    readWithAttrs: (offset, size, attrs) => (offset + size + attrs.requesterId) >>> 0,
    write: (_offset, value) => {
      seen = value;
    },
  });
  core.transaction(() => {
    root.addSubregion(0, ram);
    root.addSubregion(0x8000, device, 1);
    root.addSubregion(1n << 63n, core.alias('high', ram, 0x4000, 0x1000));
  });
  space.store(0x4000, le16, 0xabcd);
  same('RAM through an alias', space.load(1n << 63n, le16), 0xabcd);
  space.store(0x8004, le32, 0x1122_3344);
  same('big-endian device', seen, 0x4433_2211);
  const tx = new MemTx();
  const dma = space.with({ requesterId: 0x20, tx });
  same('attributes', dma.load(0x8008, be32), 0x2c);
  dma.load(0x2_0000, le32);
  same('hole', tx.result, MemTxResult.DECODE_ERROR);
  refuses('hole, thrown', () => space.load(0x2_0000, le32), 'MemTxError');
  device.setEnabled(false);
  space.store(0x8004, le64n, 2 ** 40);
  same('RAM under the device', space.load(0x8004, le64n), 2 ** 40);
  same('interned', memTxAttrs({ requesterId: 3 }), memTxAttrs({ requesterId: 3 }));
  dataView(space);
  return core;
}

/** qemu-memory: the text of `info mtree`, both ways. */
function text(core) {
  const printed = printMtree(core, { disabled: true });
  same('mtree round trip', printMtree(buildMap(parseMtree(printed)).core, { disabled: true }), printed);
}

/** devices: an HPET that counts. */
function hpet() {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const space = core.addressSpace(root, 'memory');
  const clock = new VirtualClock();
  const block = new Hpet({ clock, memory: space, outputs: [] });
  root.addSubregion(0xfed0_0000, core.io('hpet', HPET_SIZE, block.ops));
  same('HPET capabilities', space.load(0xfed0_0000, le32), 0x8086_a201);
  space.store(0xfed0_0010, le32, 1);
  clock.advanceBy(1000);
  same('HPET counter', space.load(0xfed0_00f0, le32), 100);
}

/** Runs everything. */
export function smoke() {
  checks = 0;
  plainMemory();
  text(machine());
  hpet();
  return `${checks} checks passed${typeof SharedArrayBuffer === 'function' ? ', shared memory' : ', no shared memory'}`;
}
