/** An HPET on a bare board: RAM at 0, the block at 0xfed00000, 24 lines whose levels are logged. */
import { le32, le64, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { type AddressSpace, MemoryCore } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';
import { EventCounts, HPET_SIZE, Hpet, type HpetOptions, InterruptLine, VirtualClock } from '../../src/index.ts';

export const BASE = 0xfed0_0000;

export class HpetBoard {
  readonly clock: VirtualClock;
  readonly events = new EventCounts();
  /** `+3` for line 3 raised, `-3` for lowered; `g+`, `g-` for the gate of the PIT. Changes only. */
  log: string[] = [];
  readonly lines = Array.from({ length: 24 }, (_, i) => new InterruptLine(`line ${i}`));
  readonly gate = new InterruptLine('gate');
  readonly core = new MemoryCore();
  readonly space: AddressSpace;
  readonly hpet: Hpet;
  readonly #tx = new MemTx();

  constructor(options: Partial<HpetOptions> = {}, from?: { readonly state: unknown; readonly clock: VirtualClock }) {
    this.clock = from?.clock ?? (options.clock as VirtualClock | undefined) ?? new VirtualClock();
    for (const [i, line] of this.lines.entries()) line.observe((high) => this.log.push(`${high ? '+' : '-'}${i}`));
    this.gate.observe((high) => this.log.push(high ? 'g+' : 'g-'));
    const root = this.core.container('system', 1n << 64n);
    this.space = this.core.addressSpace(root, 'memory');
    root.addSubregion(0, this.core.ram('ram', sparseBacking(0x10_0000)));
    const { clock, events, lines, gate, space } = this;
    const wiring = { clock, memory: space, outputs: lines, pitGate: gate, events };
    this.hpet = from === undefined ? new Hpet({ ...wiring, ...options }) : Hpet.fromState(from.state, wiring);
    root.addSubregion(BASE, this.core.io('hpet', HPET_SIZE, this.hpet.ops));
    this.log = [];
  }

  read(offset: number): number {
    return this.space.txLoad(BASE + offset, le32, MEMTXATTRS_UNSPECIFIED, this.#tx);
  }
  write(offset: number, value: number): void {
    this.space.txStore(BASE + offset, le32, value, MEMTXATTRS_UNSPECIFIED, this.#tx);
  }
  read64(offset: number): bigint {
    return this.space.txLoad(BASE + offset, le64, MEMTXATTRS_UNSPECIFIED, this.#tx);
  }
  write64(offset: number, value: bigint): void {
    this.write(offset, Number(value & 0xffff_ffffn));
    this.write(offset + 4, Number(value >> 32n));
  }
  /** 4 bytes of RAM. */
  load(addr: number): number {
    return this.space.txLoad(addr, le32, MEMTXATTRS_UNSPECIFIED, this.#tx);
  }
  /** The counter, by two reads of 4 bytes. */
  counter(): bigint {
    return (BigInt(this.read(0xf4)) << 32n) | BigInt(this.read(0xf0));
  }
  /** Steps the clock. @returns what the lines did meanwhile. */
  step(ns: number | bigint): string {
    this.clock.advanceBy(ns);
    return this.take();
  }
  /** What the lines did since the last look. */
  take(): string {
    const text = this.log.join(' ');
    this.log = [];
    return text;
  }
}

/** Offset of a register of timer `n`. */
export const timer = (n: number, register = 0): number => 0x100 + 0x20 * n + register;
export const CMP = 0x08;
export const MSG = 0x10;
