/** Every kind of memory that the suites run over: all backings, regions of others, `Bytes` of others. */
import {
  BytesBase,
  bufferBacking,
  checkMoved,
  type GuestAddress,
  type GuestMemory,
  GuestMemoryBytes,
  GuestMemoryError,
  GuestMemoryRegion,
  type GuestMemorySlices,
  GuestRegionBuffer,
  GuestRegionCollection,
  guestMemory,
  IommuMemory,
  Iotlb,
  type MemoryRange,
  type MemoryRegionAddress,
  Ordering,
  Permissions,
  type ReadVolatile,
  type ScalarCodec,
  segmentedBacking,
  sparseBacking,
  tlbIommu,
  toAddress,
  VolatileSlice,
  type WriteVolatile,
  wasmBacking,
} from '../../src/index.ts';
import type { Range, Subject } from './conformance.ts';
import { wasmMemory } from './wasm.ts';

const over =
  (backing: (length: number) => MemoryRange['memory']) =>
  (ranges: readonly Range[]): GuestMemory =>
    guestMemory(ranges.map(({ start, length }) => ({ startAddr: start, memory: backing(length) })));

/** The least that a region of others has to be: three members and `getSlice`. */
export class MinimalRegion extends GuestMemoryRegion {
  readonly startAddr: GuestAddress;
  readonly length: number;
  readonly #bytes: Uint8Array;

  constructor(startAddr: GuestAddress, length: number) {
    super();
    this.startAddr = startAddr;
    this.length = length;
    this.#bytes = new Uint8Array(length);
  }

  override getSlice(offset: MemoryRegionAddress, count: GuestAddress): VolatileSlice {
    if (BigInt(offset) + BigInt(count) > BigInt(this.length))
      throw new GuestMemoryError('invalid-backend-address', 'past the end of a minimal region');
    return new VolatileSlice(this.#bytes.subarray(Number(offset), Number(offset) + Number(count)));
  }

  override getHostAddress(offset: MemoryRegionAddress) {
    return { buffer: this.#bytes.buffer as ArrayBuffer, byteOffset: this.#bytes.byteOffset + Number(offset) };
  }
}

/** A region whose `Bytes` is its own and that has no host memory to hand out; counts its calls. */
export class OwnBytesRegion extends GuestMemoryRegion {
  readonly startAddr: GuestAddress;
  readonly length: number;
  calls = 0;
  readonly #slice: VolatileSlice;

  constructor(startAddr: GuestAddress, length: number) {
    super();
    this.startAddr = startAddr;
    this.length = length;
    this.#slice = new VolatileSlice(new Uint8Array(length));
  }

  override checkRange(offset: MemoryRegionAddress, count: GuestAddress): boolean {
    return BigInt(offset) + BigInt(count) <= BigInt(this.length);
  }

  override read(buf: Uint8Array, addr: MemoryRegionAddress): number {
    return this.#call(() => this.#slice.read(buf, addr));
  }

  override write(buf: Uint8Array, addr: MemoryRegionAddress): number {
    return this.#call(() => this.#slice.write(buf, addr));
  }

  override load<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    return this.#call(() => this.#slice.load(addr, codec, ordering));
  }

  override store<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    this.#call(() => this.#slice.store(addr, codec, value, ordering));
  }

  override readVolatileFrom(addr: MemoryRegionAddress, src: ReadVolatile, count: number): number {
    return this.#call(() => this.#slice.readVolatileFrom(addr, src, count));
  }

  override writeVolatileTo(addr: MemoryRegionAddress, dst: WriteVolatile, count: number): number {
    return this.#call(() => this.#slice.writeVolatileTo(addr, dst, count));
  }

  #call<T>(run: () => T): T {
    this.calls++;
    try {
      return run();
    } catch (cause) {
      if (cause instanceof GuestMemoryError && cause.code === 'out-of-bounds')
        throw new GuestMemoryError('invalid-backend-address', cause.message, { cause });
      throw cause;
    }
  }
}

/** Guest memory of others whose `Bytes` comes from its slices alone. */
class SlicesOnly extends GuestMemoryBytes {
  readonly #inner: GuestMemory;

  constructor(inner: GuestMemory) {
    super();
    this.#inner = inner;
  }

  checkRange(addr: GuestAddress, len: GuestAddress, access?: Permissions): boolean {
    return this.#inner.checkRange(addr, len, access);
  }

  getSlices(addr: GuestAddress, len: GuestAddress, access?: Permissions): GuestMemorySlices {
    return this.#inner.getSlices(addr, len, access);
  }

  physicalMemory(): undefined {
    return undefined;
  }
}

/** Guest memory of others whose `Bytes` is its own, byte by byte, with no region anywhere: what vm-memory does not allow. */
class OwnBytesMemory extends BytesBase implements GuestMemory {
  readonly #ranges: readonly { first: bigint; last: bigint; bytes: Uint8Array }[];

  constructor(ranges: readonly Range[]) {
    super();
    this.#ranges = ranges.map(({ start, length }) => ({
      first: BigInt(start),
      last: BigInt(start) + BigInt(length) - 1n,
      bytes: new Uint8Array(length),
    }));
  }

  checkRange(addr: GuestAddress, len: GuestAddress): boolean {
    let at = BigInt(addr);
    const end = at + BigInt(len);
    while (at < end) {
      const range = this.#ranges.find(({ first, last }) => first <= at && at <= last);
      if (range === undefined) return false;
      at = range.last + 1n;
    }
    return true;
  }

  getSlices(): never {
    throw new GuestMemoryError('host-address-not-available', 'this memory has no slices');
  }

  physicalMemory(): undefined {
    return undefined;
  }

  read(buf: Uint8Array, addr: GuestAddress): number {
    if (!(buf instanceof Uint8Array)) throw new TypeError('buf must be a Uint8Array');
    return this.#each(buf.length, addr, (bytes, index, i) => {
      buf[i] = bytes[index]!;
    });
  }

  write(buf: Uint8Array, addr: GuestAddress): number {
    if (!(buf instanceof Uint8Array)) throw new TypeError('buf must be a Uint8Array');
    return this.#each(buf.length, addr, (bytes, index, i) => {
      bytes[index] = buf[i]!;
    });
  }

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    return this.#one(addr, codec).load(0, codec, ordering);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    this.#one(addr, codec).store(0, codec, value, ordering);
  }

  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    if (!Number.isInteger(count) || count < 0) throw new RangeError('count');
    if (count > 0 && !this.checkRange(addr, 1)) throw this.#hole(addr);
    let n = 0;
    while (n < count && this.checkRange(addr, n + 1)) n++;
    const buf = new Uint8Array(n);
    const moved = n === 0 ? 0 : checkMoved(src.readVolatile(buf), n, 'the source', addr);
    return this.write(buf.subarray(0, moved), addr);
  }

  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    const buf = new Uint8Array(count);
    const n = this.read(buf, addr);
    return n === 0 ? 0 : checkMoved(dst.writeVolatile(buf.subarray(0, n)), n, 'the sink', addr);
  }

  #one(addr: GuestAddress, codec: ScalarCodec<unknown> | { size: number }): VolatileSlice {
    const at = BigInt(toAddress(addr));
    const range = this.#ranges.find(({ first, last }) => first <= at && at <= last);
    if (range === undefined) throw this.#hole(addr);
    const offset = Number(at - range.first);
    if (offset + codec.size > range.bytes.length)
      throw new GuestMemoryError('invalid-backend-address', 'crosses an end', { addr });
    return new VolatileSlice(range.bytes.subarray(offset, offset + codec.size));
  }

  #each(count: number, addr: GuestAddress, step: (bytes: Uint8Array, index: number, i: number) => void): number {
    const start = BigInt(toAddress(addr));
    for (let i = 0; i < count; i++) {
      const at = start + BigInt(i);
      const range = this.#ranges.find(({ first, last }) => first <= at && at <= last);
      if (range === undefined) {
        if (i === 0) throw this.#hole(addr);
        return i;
      }
      step(range.bytes, Number(at - range.first), i);
    }
    return count;
  }

  #hole(addr: GuestAddress): GuestMemoryError {
    return new GuestMemoryError('invalid-guest-address', 'nothing there', { addr });
  }
}

/** All subjects. */
export const SUBJECTS: readonly Subject[] = [
  { name: 'one ArrayBuffer per region', make: over((length) => length) },
  { name: 'SharedArrayBuffers', make: over((length) => bufferBacking(length, { shared: true })) },
  {
    name: 'windows at odd offsets of one buffer, aligned to 8',
    make: over((n) => new Uint8Array(new ArrayBuffer(n + 24), 24, n)),
  },
  { name: 'sparse, one segment per region', make: over((length) => sparseBacking(length)) },
  {
    name: 'sparse, segments of 64 bytes',
    make: over((length) => sparseBacking(length, { segmentSize: 64 })),
    contiguous: false,
  },
  {
    name: 'several buffers end to end',
    make: over((n) => segmentedBacking([new ArrayBuffer(8), new SharedArrayBuffer(24), new ArrayBuffer(n - 32)])),
    contiguous: false,
  },
  { name: 'WebAssembly.Memory', make: over((length) => wasmBacking(wasmMemory(1), { offset: 64, length })) },
  {
    name: 'WebAssembly.Memory that grows before every access',
    make: (ranges) => {
      const grown = ranges.map(() => wasmMemory(1));
      const memory = guestMemory(
        ranges.map(({ start, length }, i) => ({ startAddr: start, memory: wasmBacking(grown[i]!, { length }) })),
      );
      return new Proxy(memory, {
        get(target, name) {
          for (const one of grown) if (one.buffer.byteLength < 64 * 0x1_0000) one.grow(1);
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
    regions: false,
    slices: false,
  },
  {
    name: 'a minimal region of others',
    make: (ranges) => GuestRegionCollection.fromRegions(ranges.map((r) => new MinimalRegion(r.start, r.length))),
  },
  {
    name: 'a region whose Bytes is its own',
    make: (ranges) => GuestRegionCollection.fromRegions(ranges.map((r) => new OwnBytesRegion(r.start, r.length))),
    slices: false,
  },
  {
    name: 'a subclass of a buffer region that overrides Bytes',
    make: (ranges) =>
      GuestRegionCollection.fromRegions(
        ranges.map(
          (r) =>
            new (class extends GuestRegionBuffer {
              override load<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
                return super.load(addr, codec, ordering);
              }
            })(r.start, bufferBacking(r.length)),
        ),
      ),
  },
  { name: 'Bytes from slices alone', make: (ranges) => new SlicesOnly(over((n) => n)(ranges)), regions: false },
  {
    name: 'a memory whose Bytes is its own',
    make: (ranges) => new OwnBytesMemory(ranges),
    slices: false,
    regions: false,
  },
  {
    name: 'behind an IOMMU that is switched off',
    make: (ranges) =>
      new IommuMemory(over((n) => n)(ranges) as GuestRegionCollection, tlbIommu(new Iotlb()), { enabled: false }),
    regions: false,
  },
  {
    name: 'behind an IOMMU that maps every address to itself',
    make: (ranges) =>
      new IommuMemory(over((n) => n)(ranges) as GuestRegionCollection, {
        translate: (base, length) => [{ base, length }],
      }),
    regions: false,
  },
];

/** An address space of its own ordering constants, so that importers need no second import. */
export { Ordering, Permissions };
