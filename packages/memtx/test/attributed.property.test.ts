import { attributed, MEMTXATTRS_UNSPECIFIED, MemTx, MemTxError } from '@guestmem/memtx';
import {
  bufferBacking,
  type GuestAddress,
  type GuestMemory,
  GuestMemoryRegion,
  GuestRegionBuffer,
  GuestRegionCollection,
  IommuMemory,
  Iotlb,
  Permissions,
  permissionsAllow,
  sparseBacking,
  tlbIommu,
  VolatileSlice,
} from '@guestmem/vm-memory';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const { READ, WRITE, READ_WRITE } = Permissions;
const [DECODE_ERROR, ACCESS_ERROR] = [2, 4];
/** Both spaces have so many bytes. */
const SIZE = 64;

/** A region that has no host memory to show: all goes through its own `Bytes`. */
class OwnRegion extends GuestMemoryRegion {
  readonly startAddr: GuestAddress;
  readonly length: number;
  readonly #slice: VolatileSlice;

  constructor(startAddr: GuestAddress, length: number) {
    super();
    this.startAddr = startAddr;
    this.length = length;
    this.#slice = new VolatileSlice(new Uint8Array(length));
  }
  override read(buf: Uint8Array, addr: GuestAddress): number {
    return this.#slice.read(buf, addr);
  }
  override write(buf: Uint8Array, addr: GuestAddress): number {
    return this.#slice.write(buf, addr);
  }
}

/** What each byte is behind, in order from address 0 on. */
const part = fc.record({
  kind: fc.constantFrom('hole', 'buffer', 'sparse', 'own', 'read-only', 'write-only'),
  length: fc.integer({ min: 1, max: 12 }),
});
const transfer = fc.record({
  write: fc.boolean(),
  at: fc.nat(SIZE - 1),
  length: fc.nat(40),
  policy: fc.constantFrom('stop', 'continue', 'throw'),
  seed: fc.nat(255),
});
const mapping = fc.record({
  at: fc.nat(SIZE - 1),
  to: fc.nat(SIZE - 1),
  length: fc.integer({ min: 1, max: 20 }),
  permissions: fc.constantFrom(READ, WRITE, READ_WRITE, READ_WRITE),
});

const mappings = fc.option(fc.array(mapping, { maxLength: 8 }));

it('A-61, A-276, V-1.12: a transfer moves the bytes that can be moved, and tells what the others answer', () => {
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 12, size: 'max' }),
      mappings,
      fc.array(transfer, { minLength: 1, maxLength: 12, size: 'max' }),
      (parts, mapped, transfers) => {
        // Physical memory: kinds and bytes by address.
        const kinds: string[] = new Array(SIZE).fill('hole');
        const regions: GuestMemoryRegion[] = [];
        let next = 0;
        for (const { kind: drawn, length } of parts) {
          // Behind an IOMMU permissions are its own: a refusal does not tell whose it was.
          const kind = mapped !== null && drawn.endsWith('-only') ? 'buffer' : drawn;
          const n = Math.min(length, SIZE - next);
          if (n === 0) break;
          kinds.fill(kind, next, next + n);
          const permissions = kind === 'read-only' ? READ : kind === 'write-only' ? WRITE : READ_WRITE;
          const backing = kind === 'sparse' ? sparseBacking(n, { segmentSize: 8 }) : bufferBacking(n);
          if (kind === 'own') regions.push(new OwnRegion(next, n));
          else if (kind !== 'hole') regions.push(new GuestRegionBuffer(next, backing, { permissions }));
          next += n;
        }
        if (regions.length === 0) return;
        const bytes = new Uint8Array(SIZE);
        let memory: GuestMemory = GuestRegionCollection.fromRegions(regions);
        // What an IOMMU makes of it: no way to hand out slices of memory that is no host memory.
        const tlb = mapped === null ? null : new Iotlb();
        const pages: ({ to: number; permissions: Permissions } | undefined)[] = new Array(SIZE);
        for (const { at, to, length, permissions } of mapped ?? []) {
          const n = Math.min(length, SIZE - at, SIZE - to);
          tlb?.setMapping(at, to, n, permissions);
          for (let i = 0; i < n; i++) pages[at + i] = { to: to + i, permissions };
        }
        if (tlb !== null) memory = new IommuMemory(memory as GuestRegionCollection, tlbIommu(tlb));
        const place = (addr: number) => (tlb === null ? addr : pages[addr]!.to);
        const untranslated = (addr: number, access: Permissions) =>
          tlb !== null && !(pages[addr] && permissionsAllow(pages[addr].permissions, access));
        const answer = (addr: number, access: Permissions): number => {
          if (addr >= SIZE || untranslated(addr, access)) return DECODE_ERROR;
          const kind = kinds[place(addr)];
          if (kind === 'hole' || (kind === 'own' && tlb !== null)) return DECODE_ERROR;
          return (kind === 'read-only' && access === WRITE) || (kind === 'write-only' && access === READ)
            ? ACCESS_ERROR
            : 0;
        };
        for (const { write, at, length, policy, seed } of transfers) {
          const access = write ? WRITE : READ;
          const addrs = Array.from({ length }, (_, i) => at + i);
          const answers = addrs.map((addr) => answer(addr, access));
          const lost =
            tlb !== null && policy !== 'continue' && addrs.findIndex((a) => a >= SIZE || untranslated(a, access));
          const failing = answers.findIndex((bits) => bits !== 0);
          // An IOMMU refuses the whole of what is asked for; with `continue` what can be translated is asked for by itself.
          const done = typeof lost === 'number' && lost >= 0 ? 0 : failing < 0 ? length : failing;
          const result =
            typeof lost === 'number' && lost >= 0
              ? DECODE_ERROR
              : policy === 'continue'
                ? answers.reduce((all, bits) => all | bits, 0)
                : (answers[failing] ?? 0);
          const buf = Uint8Array.from({ length }, (_, i) => seed + i * 11);
          const expected = buf.slice();
          addrs.forEach((addr, i) => {
            const moves = policy === 'continue' ? answers[i] === 0 : i < done;
            if (moves && write) bytes[place(addr)] = buf[i]!;
            else if (!write && moves) expected[i] = bytes[place(addr)]!;
            else if (!write && policy === 'continue') expected[i] = 0;
          });
          const tx = new MemTx();
          let told: { readonly result: number; readonly done: number } = tx;
          try {
            const plain = attributed(memory);
            const run = write ? plain.txWrite.bind(plain) : plain.txRead.bind(plain);
            run(
              at,
              buf,
              MEMTXATTRS_UNSPECIFIED,
              policy === 'continue' ? policy : 'stop',
              policy === 'throw' ? null : tx,
            );
            if (policy === 'throw') told = { result: 0, done: length };
          } catch (error) {
            if (!(error instanceof MemTxError) || policy !== 'throw') throw error;
            told = { result: error.result, done: error.completed! };
          }
          expect({ write, policy, ...told, bytes: [...buf] }).toEqual({
            write,
            policy,
            result,
            done,
            bytes: [...expected],
          });
        }
        for (const region of regions) {
          const start = Number(region.startAddr);
          if (kinds[start] === 'write-only') continue;
          const held = new Uint8Array(Number(region.length));
          region.readSlice(held, 0);
          expect([...held]).toEqual([...bytes.subarray(start, start + held.length)]);
        }
      },
    ),
    { numRuns: 100 },
  );
});
