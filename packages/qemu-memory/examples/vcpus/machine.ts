/**
 * Two vCPUs in worker threads and a device in this one. Each vCPU counts in RAM, which it reaches directly, and now and
 * then reads the device, which this thread performs. The device moves its own registers (its BAR) all the while, as a
 * guest's firmware would: the vCPUs meet it wherever it is. Runs in Node (node.ts) and in a page (browser.ts).
 */
import { le32 } from '@guestmem/memtx';
import { MemoryCore, type SharedSpace, type SharedSpaceHandle } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';

/** RAM word that says where the device is now. */
export const BAR_WORD = 0x100;
/** RAM words in which the vCPUs count, one each. */
export const COUNTERS = 0x200;
/** What the device's register reads. */
export const DEVICE_ID = 0xed;

/** What a vCPU worker is given. */
export interface VcpuStart {
  readonly id: number;
  readonly handle: SharedSpaceHandle;
  /** Times round its loop. */
  readonly rounds: number;
}

/** What it reports. */
export interface VcpuReport {
  readonly id: number;
  readonly rounds: number;
  /** Reads of the device that found it. */
  readonly deviceReads: number;
  /** Reads that came just after it had moved. */
  readonly misses: number;
  readonly wrong: number;
}

/** What came of it all. */
export interface Summary {
  readonly vcpus: readonly VcpuReport[];
  readonly counters: readonly number[];
  readonly barMoves: number;
  readonly deviceReads: number;
}

/** Starts the vCPUs with `startVcpu` (which resolves with a worker's report), serves them, and sums up. */
export async function runMachine(
  startVcpu: (start: VcpuStart, shared: SharedSpace) => Promise<VcpuReport>,
  rounds: number,
): Promise<Summary> {
  const core = new MemoryCore();
  const root = core.container('root', 1n << 64n);
  const space = core.addressSpace(root, 'memory');
  const ram = core.ram('ram', bufferBacking(0x10_0000, { shared: true }));
  let bar = 0xe000_0000;
  let barMoves = 0;
  let deviceReads = 0;
  const device = core.io('device', 0x1000, {
    endianness: 'little',
    read() {
      if (++deviceReads % 10 === 0) moveBar();
      return DEVICE_ID;
    },
  });
  const moveBar = (): void => {
    barMoves++;
    bar = 0xe000_0000 + 0x1000 * (barMoves % 64);
    device.setAddress(bar);
    space.store(BAR_WORD, le32, bar);
  };
  core.transaction(() => {
    root.addSubregion(0, ram);
    root.addSubregion(bar, device);
  });
  space.store(BAR_WORD, le32, bar);

  const shared = space.share({ workers: 2 });
  const serving = shared.serveAsync();
  const vcpus = await Promise.all([0, 1].map((id) => startVcpu({ id, handle: shared.handle(), rounds }, shared)));
  shared.close();
  await serving;
  const counters = [0, 1].map((id) => space.load(COUNTERS + 4 * id, le32));
  return { vcpus, counters, barMoves, deviceReads };
}
