/**
 * One machine that keeps its windows, and its twin that forgets them before every access: whatever is done to both, every
 * access answers alike, calls the same callbacks with the same arguments, and leaves the same memory and dirty pages.
 */
import { be32, le16, le32, le64, le64n, MEMTXATTRS_UNSPECIFIED, MemTx, memTxAttrs, u8 } from '@guestmem/memtx';
import { bufferBacking, type ScalarCodec } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import {
  type AddressSpace,
  IommuAccess,
  LogClient,
  MemoryCore,
  type MemoryRegion,
  memoryRegionGetDirty,
  PageIommu,
} from '../../src/index.ts';
import { Random } from '../support/random.ts';

const PAGE = 0x1000;
const RAM_PAGES = 8;
const HIGH = 0x4000_0000;
const DEVICES = 0xfee0_0000;
const CODECS: readonly ScalarCodec<number | bigint>[] = [le32, le32, le32, le64n, le64, be32, le16, u8] as never;

/** One machine: RAM at 0 and at HIGH, four devices, a ROM device, and `dma` behind an IOMMU of 16 pages at 0. */
class Machine {
  readonly core = new MemoryCore();
  readonly system = this.core.container('system', 1n << 64n);
  readonly low = this.core.ram('low', bufferBacking(RAM_PAGES * PAGE));
  readonly high = this.core.ram('high', bufferBacking(RAM_PAGES * PAGE));
  readonly over = this.core.ram('over', bufferBacking(PAGE));
  readonly log: string[] = [];
  readonly memory: AddressSpace;
  readonly dma: AddressSpace;
  readonly devices: readonly MemoryRegion[];
  readonly table: ({ to: number; perm: IommuAccess } | null)[];
  readonly model: PageIommu;
  readonly iommu: MemoryRegion;
  readonly attrs = [MEMTXATTRS_UNSPECIFIED, memTxAttrs({ requesterId: 7 })];
  readonly forgetful: boolean;
  readonly #taps: Disposable[] = [];
  #logged = false;

  constructor(forgetful: boolean) {
    this.forgetful = forgetful;
    this.system.addSubregion(0, this.low);
    this.system.addSubregion(HIGH, this.high);
    this.memory = this.core.addressSpace(this.system, 'memory');
    const owner = {};
    this.devices = ['guarded', 'free', 'big', 'guarded too'].map((name, i) => {
      const endianness = name === 'big' ? 'big' : 'little';
      const ops = {
        endianness,
        read: (offset: number, size: number) => this.#read(name, offset, size),
        write: (offset: number, value: number, size: number) =>
          void this.log.push(`${name} W${size}@${offset}=${value}`),
      } as const;
      const device = this.core.io(name, PAGE, ops, name.startsWith('guarded') ? { owner } : {});
      this.system.addSubregion(DEVICES + i * PAGE, device);
      return device;
    });
    this.core.access.flushCoalescedMmio = () => void this.log.push('flush');
    this.table = Array.from({ length: 16 }, (_, page) => ({ to: page * PAGE, perm: IommuAccess.RW }));
    this.model = new PageIommu(
      this.memory,
      (offset) => {
        const found = this.table[Math.floor(Number(offset) / PAGE)] ?? null;
        return found === null ? null : { translatedAddr: found.to, perm: found.perm };
      },
      { entries: 8 },
    );
    this.iommu = this.core.iommu('iommu', 16 * PAGE, this.model);
    this.dma = this.core.addressSpace(this.iommu, 'dma');
  }

  #read(name: string, offset: number, size: number): number {
    this.log.push(`${name} R${size}@${offset}`);
    if (offset === 0x3c) throw new TypeError('broken');
    if (offset === 0x40) return this.memory.load(8, le32);
    if (offset === 0x44) {
      const tx = new MemTx();
      const value = this.memory.txLoad(DEVICES + 4, le32, MEMTXATTRS_UNSPECIFIED, tx);
      this.log.push(`nested ${value} ${tx.result}`);
    }
    return offset * 0x0101_0101 + size;
  }

  /** One access, as a line that tells everything about it. */
  access(
    which: 'memory' | 'dma',
    form: number,
    addr: number,
    codec: ScalarCodec<number | bigint>,
    value: number,
  ): string {
    const space = this[which];
    if (this.forgetful) for (const each of [this.memory, this.dma]) each.map.forget();
    if (this.forgetful) this.model.windows.close();
    const tx = new MemTx();
    const attrs = this.attrs[value & 1]!;
    const stored = codec === le64 ? BigInt(value) : codec.size < 4 ? value & 0xff : value;
    try {
      switch (form) {
        case 0:
          return String(space.load(addr, codec));
        case 1:
          return String(space.store(addr, codec, stored));
        case 2:
          return `${space.txLoad(addr, codec, attrs, tx)} ${tx.result} ${tx.done}`;
        case 3:
          space.txStore(addr, codec, stored, attrs, tx);
          return `${tx.result} ${tx.done}`;
        case 4:
          return String(space.readObj(addr, codec));
        case 5:
          return String(space.writeObj(addr, codec, stored));
        case 6: {
          const buf = new Uint8Array(value & 0x7f);
          space.txRead(addr, buf, attrs, 'continue', tx);
          return `${buf.join()} ${tx.result} ${tx.done}`;
        }
        default: {
          space.txWrite(addr, new Uint8Array(value & 0x7f).fill(value), attrs, 'stop', tx);
          return `${tx.result} ${tx.done}`;
        }
      }
    } catch (error) {
      return String(error);
    }
  }

  /** One change of the machine. */
  edit(kind: number, n: number): void {
    const device = this.devices[n & 3]!;
    switch (kind) {
      case 0:
        if (this.over.container === null) this.system.addSubregionOverlap((n % 4) * PAGE, this.over, 1);
        else this.system.delSubregion(this.over);
        break;
      case 1:
        device.setEnabled(!device.enabled);
        break;
      case 2:
        device.setAddress(DEVICES + (n & 3) * PAGE + (device.addr === BigInt(DEVICES + (n & 3) * PAGE) ? 8 * PAGE : 0));
        break;
      case 3:
        this.#logged = !this.#logged;
        this.low.setLog(this.#logged, LogClient.VGA);
        break;
      case 4:
        this.table[n % 16] = n % 5 === 0 ? null : { to: (n % RAM_PAGES) * PAGE, perm: n % 7 === 0 ? 1 : 3 };
        this.model.invalidate(null, (n % 16) * PAGE, PAGE);
        break;
      case 5:
        this.table[n % 16] = { to: HIGH + (n % RAM_PAGES) * PAGE, perm: 3 };
        this.model.flush();
        break;
      case 6: {
        const space = n % 2 === 0 ? this.memory : this.dma;
        const tap = space.tap((n % 4) * PAGE, 16, (event) => this.log.push(`tap ${event.addr} ${event.isWrite}`));
        this.#taps.push(tap as unknown as Disposable);
        break;
      }
      case 7:
        this.#taps.pop()?.[Symbol.dispose]();
        break;
      case 8:
        this.core.access.observer =
          n % 3 === 0 ? { dmaRead: (addr, size) => void this.log.push(`dma ${addr} ${size}`) } : null;
        break;
      case 9:
        device.dispatch.flushCoalesced = n % 8 < 4;
        break;
      case 10:
        device.dispatch.guardDisabled = n % 8 < 4;
        break;
      default:
        this.iommu.setEnabled(n % 4 !== 0);
    }
  }

  /** What is left at the end. */
  state(): string {
    const dirty = Array.from({ length: RAM_PAGES }, (_, page) =>
      memoryRegionGetDirty(this.low, page * PAGE, PAGE, LogClient.VGA),
    );
    const sums = [this.low, this.high, this.over].map((region) =>
      region.ram!.backing.segmentAt(0).bytes.reduce((sum, byte, i) => (sum + byte * (i + 1)) % 0xffff_fffb, 0),
    );
    return `${dirty} ${sums} ${this.core.access.depth}`;
  }
}

const PLACES: readonly (readonly ['memory' | 'dma', number])[] = [
  ['memory', 0],
  ['memory', 3 * PAGE],
  ['memory', HIGH + 2 * PAGE],
  ['memory', DEVICES],
  ['memory', DEVICES + PAGE],
  ['memory', DEVICES + 2 * PAGE],
  ['memory', DEVICES + 3 * PAGE],
  ['memory', 0x9000_0000],
  ['dma', 0],
  ['dma', 2 * PAGE],
  ['dma', 5 * PAGE],
];

it('A-70, A-150, D15: windows change no answer, no callback and no memory', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(seed);
    const keeps = new Machine(false);
    const forgets = new Machine(true);
    for (let round = 0; round < 40; round++) {
      const [which, base] = random.pick(PLACES);
      const form = random.below(8);
      const codec = random.pick(CODECS);
      const near = random.pick([0, 8, 0x38, 0x3c, 0x40, 0x44, PAGE - 16]);
      for (let i = 0; i < 14; i++) {
        const strays = i > 10;
        const addr = base + near + (strays ? random.below(24) - 4 : 0);
        const value = random.below(2 ** 32);
        const what = strays ? random.below(8) : form;
        const kind = strays ? random.pick(CODECS) : codec;
        const told = `seed ${seed}, round ${round}: ${which} ${what} ${addr.toString(16)} ${kind.size}`;
        if (addr < 0) continue;
        expect(keeps.access(which, what, addr, kind, value), told).toBe(forgets.access(which, what, addr, kind, value));
      }
      expect(keeps.log.join('; '), `seed ${seed}, round ${round}`).toBe(forgets.log.join('; '));
      keeps.log.length = 0;
      forgets.log.length = 0;
      const kind = random.below(12);
      const n = random.below(64);
      keeps.edit(kind, n);
      forgets.edit(kind, n);
    }
    expect(keeps.state(), `seed ${seed}`).toBe(forgets.state());
  }
});
