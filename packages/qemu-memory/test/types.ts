/**
 * What must and what must not compile; `tsc` is the test: an error that does not come is an error ("unused
 * '@ts-expect-error' directive"). Nothing here runs.
 */
import {
  be16,
  halvesCodec,
  le32,
  le64,
  le64n,
  type MemTx,
  type MemTxAttrs,
  type MemTxView,
  memTxView,
  type OnError,
  type TxMemory,
  type U64Halves,
} from '@guestmem/memtx';
import {
  array,
  type GuestAddress,
  type GuestAddressSpace,
  type GuestMemory,
  GuestMemoryBytes,
  type GuestMemorySlices,
  type Ordering,
  type Permissions,
  type ScalarCodec,
  struct,
} from '@guestmem/vm-memory';
import {
  AddressSpace,
  type AttachedSpace,
  type AttachedView,
  attach,
  FlatView,
  IommuAccess,
  type IommuMemoryRegionOps,
  type MemoryCore,
  type MemoryListener,
  type MemoryRegion,
  type MemoryRegionCache,
  type MemoryRegionOps,
  type MemoryRegionSection,
  PageIommu,
  type PinnedView,
  type SharedSpace,
  type ViewAccess,
} from '../src/index.ts';

declare const core: MemoryCore;
declare const region: MemoryRegion;
declare const space: AddressSpace;
declare const pinned: PinnedView;
declare const cache: MemoryRegionCache;
declare const attached: AttachedSpace;
declare const attachedView: AttachedView;
declare const shared: SharedSpace;
declare const attrs: MemTxAttrs;
declare const tx: MemTx;
declare function is<T>(value: T): void;

/** the parameters of a callback are known from where the literal stands, whatever the callbacks are. */
export function deviceLiterals(): void {
  core.io('d', 4, {
    endianness: 'little',
    valid: {
      minAccessSize: 4,
      unaligned: false,
      accepts: (offset, size, isWrite, who) => isWrite && who.secure && offset < size,
    },
    impl: { maxAccessSize: 8 },
    read: (offset, size) => offset + size,
    write(offset, value, size) {
      is<number>(offset + value + size);
    },
    read64: (offset) => BigInt(offset),
    write64: (offset, value) => is<[number, bigint]>([offset, value]),
    peek: (_offset, size) => (size === 8 ? 1n : 1),
  });
  core.io('d', 4, {
    readWithAttrs(_offset, _size, who, outcome) {
      outcome.result |= 1;
      return who.requesterId;
    },
    writeWithAttrs: (_offset, _value, _size, who, outcome) => is<[MemTxAttrs, MemTx]>([who, outcome]),
    readHalves(offset, out) {
      out.lo = offset;
      out.hi = 0;
    },
    writeHalves: (_offset, lo, hi) => is<number>(lo + hi),
  });
  core.romDevice('flash', 0x1000, { write: (offset, value) => is<number>(offset + value) }, { owner: {} });
  // @ts-expect-error it is 'little'
  core.io('d', 4, { endianness: 'litle' });
  // @ts-expect-error no host order: 'native' is the target's (A-15)
  core.io('d', 4, { endianness: 'host' });
  // @ts-expect-error a callback that does not exist is never called
  core.io('d', 4, { readU32: () => 0 });
  // @ts-expect-error what a narrow form returns is a number
  core.io('d', 4, { read: () => 0n });
  // @ts-expect-error and of 64 bits a bigint
  core.io('d', 4, { read64: () => 0 });
  // @ts-expect-error a callback answers at once
  core.io('d', 4, { read: async () => 0 });
  // @ts-expect-error and with a value
  core.io('d', 4, { read: () => undefined });
  // @ts-expect-error the value is a number, not a bigint
  core.io('d', 4, { write: (_offset, value: bigint) => is<bigint>(value) });
  // @ts-expect-error it is minAccessSize
  core.io('d', 4, { valid: { min: 4 } });
  // @ts-expect-error what the callbacks can do refuses nothing
  core.io('d', 4, { impl: { accepts: () => true } });
  // @ts-expect-error a region has a size
  core.io('d', { read: () => 0 });
  // @ts-expect-error ROM with a device has one
  core.romDevice('flash', 0x1000);
}

/** A device as a class: its methods are its callbacks. */
export class Timer implements MemoryRegionOps {
  readonly endianness = 'big';
  readonly impl = { minAccessSize: 4, maxAccessSize: 4 } as const;
  #count = 0;

  read(): number {
    return this.#count;
  }

  write(_offset: number, value: number): void {
    this.#count = value;
  }
}

/** The codec's type of value is inferred both ways, on all that reads guest memory. */
export function loads(node: ViewAccess, view: MemTxView): void {
  is<number>(space.load(0x1000, be16));
  is<bigint>(space.load(0x1000n, le64));
  is<number>(space.load(0x1000, le64n));
  is<U64Halves>(pinned.load(0x1000, halvesCodec('big')));
  is<bigint>(pinned.load(0x1000, le64));
  is<bigint>(node.load(0x1000, le64));
  is<bigint>(cache.load(0, le64));
  is<bigint>(attached.load(0x1000, le64));
  is<bigint>(attachedView.load(0x1000, le64));
  is<bigint>(space.txLoad(0x1000, le64, attrs, tx));
  is<MemTx>(space.with({ tx, onError: 'continue' }).tx);
  is<MemTx>(attached.with({ tx, secure: true }).tx);
  is<{ addr: bigint; next: number[] }>(space.readObj(0x1000, struct({ addr: le64, next: array(be16, 2) })));
  // @ts-expect-error 64 bits are a bigint
  is<number>(space.load(0x1000, le64));
  // @ts-expect-error in a cache too
  is<number>(cache.load(0, le64));
  // @ts-expect-error and from another agent
  is<number>(attached.load(0x1000, le64));
  // @ts-expect-error 32 bits are a number
  is<bigint>(pinned.load(0x1000, le32));
  // @ts-expect-error nothing says what to load
  space.load(0x1000);
  // @ts-expect-error a size is not an order
  space.load(0x1000, 4);
  // @ts-expect-error a bare number has no size and no order (D3)
  space.store(0x1000, 42);
  // @ts-expect-error on a pinned view neither
  pinned.store(0x1000, 42);
  // @ts-expect-error nor in another agent
  attached.store(0x1000, 42);
  // @ts-expect-error a number is not enough for le64
  space.store(0x1000, le64, 42);
  // @ts-expect-error nor there
  attached.store(0x1000, le64, 42);
  // @ts-expect-error a bigint is too much for le32
  space.store(0x1000, le32, 42n);
  // @ts-expect-error a field of the struct is missing
  space.writeObj(0x1000, struct({ addr: le64, len: le32 }), { addr: 1n });
  // @ts-expect-error attributes are those of a view: with(), or tx forms
  space.load(0x1000, le32, { secure: true });
  // @ts-expect-error it is requesterId
  space.with({ requester: 1 });
  // @ts-expect-error a view of attributes is asked for objects of codecs as well
  view.writeObj(0x1000, 42);
  // @ts-expect-error there is no order for a whole space
  space.with({ endianness: 'little' });
  // @ts-expect-error strings are no addresses
  space.load('0x1000', le32);
}

/** What is made by a core is not made by hand. */
export function madeByACore(): void {
  is<AddressSpace>(core.addressSpace(region, 'cpu'));
  // @ts-expect-error core.addressSpace makes them
  new AddressSpace();
  // @ts-expect-error nor of a root alone
  new AddressSpace(region);
  // @ts-expect-error core.addressSpace takes a region, not a space
  core.addressSpace(space);
  // @ts-expect-error a space shows views that are rendered
  new FlatView();
  // @ts-expect-error a look-alike is no region
  is<MemoryRegion>({ name: 'ram', size: 0x1000n });
  // @ts-expect-error the tree is edited by its methods
  region.size = 1n;
  // @ts-expect-error a kind is never changed
  region.kind = 'ram';
  // @ts-expect-error an alias knows its target
  core.alias('a', 0, 0x1000);
  // @ts-expect-error a handle is what SharedSpace gives
  attach({ name: 'cpu' });
  // @ts-expect-error so are sizes
  space.share({ workers: '2' });
  is<AttachedSpace>(attach(shared.handle(), { timeoutMs: 10 }));
}

/** Whoever wants memory takes what this package has. */
export function shapes(): void {
  is<[GuestMemory, GuestMemory, GuestMemory]>([space, pinned, attached]);
  is<[TxMemory, TxMemory, TxMemory]>([space, pinned, attached]);
  is<GuestAddressSpace<PinnedView>>(space);
  is<GuestAddressSpace<AttachedView>>(attached);
  is<MemTxView>(memTxView(space, { order: 'little' }));
  is<[GuestMemory, TxMemory]>([new Spy(space), new Spy(pinned)]);
}

/** Memory of the user's own, on the base that vm-memory has for it: hands on what it is asked. */
export class Spy extends GuestMemoryBytes implements TxMemory {
  readonly #inner: ViewAccess;
  readonly log: GuestAddress[] = [];

  constructor(inner: ViewAccess) {
    super();
    this.#inner = inner;
  }

  override load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    this.log.push(addr);
    return this.#inner.load(addr, codec, ordering);
  }

  checkRange(addr: GuestAddress, len: GuestAddress, access?: Permissions): boolean {
    return this.#inner.checkRange(addr, len, access);
  }

  getSlices(addr: GuestAddress, len: GuestAddress, access?: Permissions): GuestMemorySlices {
    return this.#inner.getSlices(addr, len, access);
  }

  physicalMemory(): undefined {}

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, who: MemTxAttrs, outcome: MemTx | null): T {
    return this.#inner.txLoad(addr, codec, who, outcome);
  }

  txStore<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, who: MemTxAttrs, outcome: MemTx | null): void {
    this.#inner.txStore(addr, codec, value, who, outcome);
  }

  txRead(addr: GuestAddress, buf: Uint8Array, who: MemTxAttrs, onError: OnError, outcome: MemTx | null): void {
    this.#inner.txRead(addr, buf, who, onError, outcome);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, who: MemTxAttrs, onError: OnError, outcome: MemTx | null): void {
    this.#inner.txWrite(addr, buf, who, onError, outcome);
  }
}

/** An address space of the user's own: whatever space there is now, for devices that ask each time. */
export class Switched implements GuestAddressSpace<PinnedView> {
  readonly #now: () => AddressSpace;

  constructor(now: () => AddressSpace) {
    this.#now = now;
  }

  memory(): PinnedView {
    return this.#now().memory();
  }
}

/** Callbacks of a listener get sections and views; what is not a callback is refused. */
export function listeners(): void {
  space.registerListener({
    name: 'log',
    priority: 10,
    begin() {},
    regionAdd: (section, view) => is<[MemoryRegionSection, FlatView]>([section, view]),
    logStart: (section, before, after) => is<[bigint, number]>([section.size, before & after]),
    coalescedIoAdd: (_section, addr, size) => is<bigint>(addr + size),
    eventfdAdd: (event) => is<bigint>(event.data),
  });
  space.registerListener({} satisfies MemoryListener);
  // @ts-expect-error it is regionAdd
  space.registerListener({ region_add: () => {} });
  // @ts-expect-error a listener is one object
  space.registerListener(() => {});
  // @ts-expect-error priorities are numbers
  space.registerListener({ priority: 'high' });
  // @ts-expect-error a section is not its address
  space.registerListener({ regionAdd: (addr: bigint) => is<bigint>(addr) });
}

/** An IOMMU's literal, and what of it may be left out. */
export function iommus(target: AddressSpace): void {
  core.iommu('smmu', 0x1_0000_0000n, {
    translate(offset, access, index) {
      is<[number | bigint, number, number]>([offset, access, index]);
      return { targetAs: target, iova: offset, translatedAddr: 0x1000, addrMask: 0xfffn, perm: IommuAccess.RW };
    },
    attrsToIndex: (who) => (who.secure ? 1 : 0),
    numIndexes: () => 2,
    replay: (notifier) => is<number>(notifier.flags),
  });
  is<IommuMemoryRegionOps>(new PageIommu(target, () => null));
  // @ts-expect-error it cannot do without translate
  core.iommu('smmu', 0x1000, { minPageSize: () => 0x1000 });
  // @ts-expect-error an entry says what is permitted
  core.iommu('smmu', 0x1000, { translate: (iova) => ({ targetAs: target, iova, translatedAddr: 0, addrMask: 0xfff }) });
  // @ts-expect-error of the flags, not by name
  core.iommu('s', 1, { translate: (iova) => ({ targetAs: target, iova, translatedAddr: 0, addrMask: 0, perm: 'rw' }) });
  // @ts-expect-error a translation answers at once
  core.iommu('smmu', 0x1000, { translate: async () => null });
}
