/** Small machines for access tests: a space, devices that log their calls, RAM that can be looked at. */
import { MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs } from '@guestmem/memtx';
import {
  type AddressSpace,
  MemoryCore,
  type MemoryCoreOptions,
  type MemoryRegion,
  type MemoryRegionOps,
  type RamBlock,
} from '@guestmem/qemu-memory';
import { type Backing, bufferBacking, type GuestAddress } from '@guestmem/vm-memory';

/** What a device answers: a value for all offsets, or a function. Values may be wider than the access. */
export type Answer = number | bigint | ((offset: number, size: number) => number | bigint);

/** A machine under test. */
export class TestMachine {
  readonly core: MemoryCore;
  readonly root: MemoryRegion;
  readonly space: AddressSpace;
  /** `R4@8=0x2a`, `W1@0=0xff`: each callback, in order; `-2@1 unaligned` each refusal. */
  readonly log: string[] = [];

  constructor(options: MemoryCoreOptions = {}) {
    this.core = new MemoryCore(options);
    this.root = this.core.container('system', 1n << 64n);
    this.space = this.core.addressSpace(this.root, 'test');
  }

  ram(start: GuestAddress, size: number, name = 'ram', memory: Backing | RamBlock = bufferBacking(size)): MemoryRegion {
    const region = this.core.ram(name, memory, { size });
    this.root.addSubregion(start, region);
    return region;
  }

  rom(start: GuestAddress, bytes: Uint8Array, name = 'rom'): MemoryRegion {
    const region = this.core.rom(name, bufferBacking(bytes));
    this.root.addSubregion(start, region);
    return region;
  }

  /** Maps a device with these rules that logs and answers. */
  device(
    start: GuestAddress,
    size: number | bigint,
    rules: Pick<MemoryRegionOps, 'valid' | 'impl' | 'endianness'> = {},
    answer: Answer = 0,
    owner: object | null = null,
  ): MemoryRegion {
    const region = this.core.io('dev', size, this.logging(rules, answer), { owner });
    this.root.addSubregion(start, region);
    return region;
  }

  /** Callbacks of all widths that log. */
  logging(
    rules: Pick<MemoryRegionOps, 'valid' | 'impl' | 'endianness'>,
    answer: Answer = 0,
    tag = '',
  ): MemoryRegionOps {
    const give = (offset: number, size: number): number | bigint => {
      const value = typeof answer === 'function' ? answer(offset, size) : answer;
      this.log.push(`${tag}R${size}@${hex(offset)}=${`0x${value.toString(16)}`}`);
      return value;
    };
    const take = (offset: number, value: number | bigint, size: number): void => {
      this.log.push(`${tag}W${size}@${hex(offset)}=0x${value.toString(16)}`);
    };
    return {
      ...rules,
      read: (offset, size) => Number(BigInt(give(offset, size)) & 0x1f_ffff_ffff_ffffn),
      write: take,
      read64: (offset) => BigInt(give(offset, 8)),
      write64: (offset, value) => take(offset, value, 8),
    };
  }

  /** Logs refusals beside the calls. */
  logRefusals(): void {
    this.core.access.observer = {
      refused: (region, offset, size, _isWrite, reason) => {
        const where = region === this.core.unassigned ? '(null)' : region.name;
        this.log.push(`-${size}@${hex(offset)} ${where} ${reason}`);
      },
    };
  }

  /** What was logged since the last call. */
  took(): string[] {
    return this.log.splice(0);
  }

  /** A bulk read that goes on after failures. */
  read(
    addr: GuestAddress,
    len: number,
    attrs: MemTxAttrs = MEMTXATTRS_UNSPECIFIED,
  ): { hex: string; result: number; done: number } {
    const tx = new MemTx();
    const buf = new Uint8Array(len).fill(0xcc);
    this.space.txRead(addr, buf, attrs, 'continue', tx);
    return { hex: toHex(buf), result: tx.result, done: tx.done };
  }

  /** A bulk write of hex digits that goes on after failures. @returns the result. */
  write(addr: GuestAddress, digits: string, attrs: MemTxAttrs = MEMTXATTRS_UNSPECIFIED): number {
    const tx = new MemTx();
    this.space.txWrite(addr, bytesOf(digits), attrs, 'continue', tx);
    return tx.result;
  }
}

/** Bytes of hex digits; blanks are ignored. */
export function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Hex digits of bytes. */
export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function hex(value: number | bigint): string {
  return value.toString(16);
}
