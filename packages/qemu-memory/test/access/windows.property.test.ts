/**
 * One machine that keeps its windows, and its twin that forgets them before every access: whatever is done to both, every
 * access answers alike, calls the same callbacks with the same arguments, and leaves the same memory and dirty pages.
 */
import * as codecs from '@guestmem/memtx';
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs, MemTxResult, memTxAttrs } from '@guestmem/memtx';
import { bufferBacking, byteArray, ScalarCodec } from '@guestmem/vm-memory';
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
/** Where signed 32 bits do not reach, from where on no 32 bits do, and across that. */
const BIG = 0x9000_0000;
const END = 0x1_0000_0000;
const FAR = END - 2 * PAGE;
const DEVICES = 0xfee0_0000;
/** Four devices of 8 bytes in one page. */
const SMALL = 0x2100_0000;
const ROM = 0x2000_0000;
/** Beside `low`, and beyond END beside `far`, where one entry of the coarse table has both. */
const PIECE = 0x10_0000;
/** Every ready-made codec, le32 as often as half of the others. */
const CODECS: readonly ScalarCodec<number | bigint>[] = Object.values(codecs)
  .filter((each) => each instanceof ScalarCodec)
  .flatMap((codec, i) => (i % 2 === 0 ? [codec] : [codec, le32])) as never;

/** A value that `codec` takes, of the bits of `value`. */
function valueFor(codec: ScalarCodec<number | bigint>, value: number): number | bigint {
  const isSigned = codec.name.endsWith('s') || codec.name.endsWith('sn') || codec.name === 'i8';
  if (codec.name.endsWith('f')) return value / 4;
  if (codec.name.endsWith('n')) return isSigned ? -value * 0x10_0000 : value * 0x10_0000;
  const bits = 8 * codec.size;
  const wide = BigInt(value) * 0x1_0001_0001n;
  const fits = isSigned ? BigInt.asIntN(bits, wide) : BigInt.asUintN(bits, wide);
  return bits === 64 ? fits : Number(fits);
}

/** One machine: RAM at 0, PIECE, HIGH, BIG, FAR and beyond, four devices and four small ones, a ROM, a ROM device, and `dma` behind an IOMMU of 16 pages at 0. */
class Machine {
  readonly core = new MemoryCore();
  readonly system = this.core.container('system', 1n << 64n);
  readonly low = this.core.ram('low', bufferBacking(RAM_PAGES * PAGE));
  readonly high = this.core.ram('high', bufferBacking(RAM_PAGES * PAGE));
  readonly big = this.core.ram('big', bufferBacking(RAM_PAGES * PAGE));
  readonly far = this.core.ram('far', bufferBacking(RAM_PAGES * PAGE));
  readonly piece = this.core.ram('piece', bufferBacking(2 * PAGE));
  readonly beyond = this.core.ram('beyond', bufferBacking(2 * PAGE));
  readonly over = this.core.ram('over', bufferBacking(PAGE));
  readonly rom = this.core.rom('rom', bufferBacking(new Uint8Array(PAGE).fill(0x5a)));
  readonly flash: MemoryRegion;
  readonly log: string[] = [];
  readonly memory: AddressSpace;
  readonly dma: AddressSpace;
  readonly devices: readonly MemoryRegion[];
  readonly table: ({ to: number; perm: IommuAccess } | null)[];
  readonly model: PageIommu;
  readonly iommu: MemoryRegion;
  readonly attrs = [{}, { requesterId: 7 }, { memory: true }, { debug: true }].map((fields) => memTxAttrs(fields));
  readonly forgetful: boolean;
  readonly #taps: Disposable[] = [];
  #logged = false;

  constructor(forgetful: boolean) {
    this.forgetful = forgetful;
    this.system.addSubregion(0, this.low);
    this.system.addSubregion(PIECE, this.piece);
    this.system.addSubregion(END + PIECE, this.beyond);
    this.system.addSubregion(HIGH, this.high);
    this.system.addSubregion(BIG, this.big);
    this.system.addSubregion(FAR, this.far);
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
      const { endianness: order, read, write } = ops;
      const withAttrs = {
        endianness: order,
        readWithAttrs: (offset: number, size: number, attrs: MemTxAttrs, tx: MemTx) => {
          this.log.push(`for ${attrs.requesterId}`);
          if (offset === 8) tx.result |= MemTxResult.ERROR;
          return read(offset, size);
        },
        writeWithAttrs: (offset: number, value: number, size: number, attrs: MemTxAttrs, tx: MemTx) => {
          this.log.push(`for ${attrs.requesterId}`);
          if (offset === 8) tx.result |= MemTxResult.ACCESS_ERROR;
          write(offset, value, size);
        },
      };
      const forms = name === 'guarded too' ? withAttrs : ops;
      const device = this.core.io(name, PAGE, forms, name.startsWith('guarded') ? { owner } : {});
      this.system.addSubregion(DEVICES + i * PAGE, device);
      return device;
    });
    for (let i = 0; i < 4; i++) {
      const name = `small ${i}`;
      const small = this.core.io(name, 8, {
        endianness: 'little',
        read: (offset, size) => this.#read(name, offset, size),
        write: (offset, value, size) => void this.log.push(`${name} W${size}@${offset}=${value}`),
      });
      this.system.addSubregion(SMALL + 8 * i, small);
    }
    const flash = new Uint8Array(PAGE).map((_, i) => i);
    this.flash = this.core.romDevice('flash', bufferBacking(flash), {
      read: (offset, size) => this.#read('flash', offset, size),
      write: (offset, value, size) => void this.log.push(`flash W${size}@${offset}=${value}`),
      peek: (offset, size) => offset + size,
    });
    this.system.addSubregion(ROM, this.rom);
    this.system.addSubregion(ROM + PAGE, this.flash);
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
    if (this.forgetful) for (const each of [this.memory, this.dma]) each.map.restart();
    if (this.forgetful) this.model.windows.close();
    const tx = new MemTx();
    const attrs = (value & 0x300) === 0 ? this.attrs[(value >>> 10) & 3]! : this.attrs[(value >>> 10) & 1]!;
    // One in sixteen is whatever it is: most codecs refuse it.
    const stored = (value & 0xf0) === 0 ? value : valueFor(codec, value);
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
        case 7: {
          space.set(addr, value & 0xff, value & 0x3ff, attrs, tx);
          return `${tx.result} ${tx.done}`;
        }
        case 8: {
          const buf = space.with({ attrs, tx }).readObj(addr, byteArray(value & 0x1f));
          return `${buf.join()} ${tx.result} ${tx.done}`;
        }
        case 9:
          space.writeRom(addr, new Uint8Array(value & 0x3f).fill(value));
          return '';
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
        for (const each of [this.low, this.piece, this.big, this.far, this.beyond])
          each.setLog(this.#logged, LogClient.VGA);
        break;
      case 4:
        this.table[n % 16] = n % 5 === 0 ? null : { to: (n % RAM_PAGES) * PAGE, perm: n % 7 === 0 ? 1 : 3 };
        this.model.invalidate(null, (n % 16) * PAGE, PAGE);
        break;
      case 5:
        this.table[n % 16] = { to: n % 8 === 1 ? ROM + PAGE : HIGH + (n % RAM_PAGES) * PAGE, perm: 3 };
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
      case 11:
        this.flash.romDeviceSetRomd(n % 4 < 2);
        break;
      case 12:
        device.setReadonly(n % 8 < 4);
        break;
      default:
        this.iommu.setEnabled(n % 4 !== 0);
    }
  }

  /** What is left at the end. */
  state(): string {
    const dirty = [this.low, this.piece, this.big, this.far, this.beyond].map((region) =>
      Array.from({ length: Number(region.size) / PAGE }, (_, page) =>
        memoryRegionGetDirty(region, page * PAGE, PAGE, LogClient.VGA),
      ),
    );
    const sums = [
      this.low,
      this.piece,
      this.beyond,
      this.high,
      this.big,
      this.far,
      this.over,
      this.rom,
      this.flash,
    ].map((region) =>
      region.ram!.backing.segmentAt(0).bytes.reduce((sum, byte, i) => (sum + byte * (i + 1)) % 0xffff_fffb, 0),
    );
    return `${dirty} ${sums} ${this.core.access.depth}`;
  }
}

const PLACES: readonly (readonly ['memory' | 'dma', number])[] = [
  ['memory', 0],
  ['memory', 3 * PAGE],
  ['memory', PIECE],
  ['memory', PIECE + PAGE],
  ['memory', HIGH + 2 * PAGE],
  ['memory', DEVICES],
  ['memory', DEVICES + PAGE],
  ['memory', DEVICES + 2 * PAGE],
  ['memory', DEVICES + 3 * PAGE],
  ['memory', BIG],
  ['memory', SMALL],
  ['memory', SMALL + 8],
  ['memory', ROM],
  ['memory', ROM + PAGE],
  ['memory', ROM + PAGE - 8],
  ['memory', BIG + (RAM_PAGES - 1) * PAGE],
  ['memory', FAR],
  ['memory', END - 8],
  ['memory', END],
  ['memory', END + PIECE],
  ['memory', FAR + (RAM_PAGES - 1) * PAGE],
  ['memory', 0xa000_0000],
  ['memory', END + 0x9000_0000],
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
      const places = random.below(3) === 0 ? [random.pick(PLACES), random.pick(PLACES)] : [random.pick(PLACES)];
      const form = random.below(11);
      const codec = random.pick(CODECS);
      const near = random.pick([0, 8, 0x38, 0x3c, 0x40, 0x44, PAGE - 16]);
      for (let i = 0; i < 14; i++) {
        const [which, base] = places[i % places.length]!;
        const strays = i > 10;
        const addr = base + near + (strays ? random.below(24) - 4 : 0);
        const value = random.below(2 ** 32);
        const what = strays ? random.below(11) : form;
        const kind = strays ? random.pick(CODECS) : codec;
        const told = `seed ${seed}, round ${round}: ${which} ${what} ${addr.toString(16)} ${kind.size}`;
        if (addr < 0) continue;
        expect(keeps.access(which, what, addr, kind, value), told).toBe(forgets.access(which, what, addr, kind, value));
      }
      expect(keeps.log.join('; '), `seed ${seed}, round ${round}`).toBe(forgets.log.join('; '));
      keeps.log.length = 0;
      forgets.log.length = 0;
      const kind = random.below(14);
      const n = random.below(64);
      keeps.edit(kind, n);
      forgets.edit(kind, n);
    }
    expect(keeps.state(), `seed ${seed}`).toBe(forgets.state());
  }
});
