/**
 * Block accesses as a test client means them: any length, going on at 0 behind the last byte of the 64-bit space, results not
 * reported..
 */
import { MEMTXATTRS_UNSPECIFIED, MemTx, type TxMemory } from '@guestmem/memtx';

const SPACE_END = 1n << 64n;

/** One address space as a client reaches it. */
export class BlockAccess {
  readonly #memory: TxMemory;
  readonly #tx = new MemTx();

  constructor(memory: TxMemory) {
    this.#memory = memory;
  }

  /** Fills `bytes` from `addr` on; what no device gives is 0. */
  read(addr: number | bigint, bytes: Uint8Array): void {
    bytes.fill(0);
    const fits = bytesToEnd(addr, bytes.length);
    if (fits === bytes.length) this.#memory.txRead(addr, bytes, MEMTXATTRS_UNSPECIFIED, 'continue', this.#tx);
    else {
      this.read(addr, bytes.subarray(0, fits));
      this.read(0, bytes.subarray(fits));
    }
  }

  /** Writes `bytes` from `addr` on; what nobody takes is dropped. */
  write(addr: number | bigint, bytes: Uint8Array): void {
    const fits = bytesToEnd(addr, bytes.length);
    if (fits === bytes.length) this.#memory.txWrite(addr, bytes, MEMTXATTRS_UNSPECIFIED, 'continue', this.#tx);
    else {
      this.write(addr, bytes.subarray(0, fits));
      this.write(0, bytes.subarray(fits));
    }
  }
}

function bytesToEnd(addr: number | bigint, length: number): number {
  if (typeof addr === 'number' && addr <= Number.MAX_SAFE_INTEGER - length) return length;
  const left = SPACE_END - BigInt(addr);
  return left < BigInt(length) ? Number(left) : length;
}
