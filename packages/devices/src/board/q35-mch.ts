/**
 * The memory controller hub of a Q35: registers that choose, area by area below 1 MiB, whether the processor sees RAM or what
 * lies on the PCI bus, and where SMM sees its RAM. The device does no memory access of its own: it edits the map. What a register shows was
 * read off QEMU 7.2's `info mtree`. Intel 3 Series Express Chipset, 5.1.
 */
import type { MemoryRegion } from '@guestmem/qemu-memory';
import type { PlacedFunction } from '../machine/definition.ts';
import { PamAreas } from './pam.ts';
import { PlainFunction } from './plain-function.ts';

const PAM_0 = 0x90; // RW, 7 bytes
const SMRAM = 0x9d; // RW, 8
const SMRAM_OPEN = 0x40;
const SMRAM_CLOSED = 0x20;
const SMRAM_LOCK = 0x10;
const SMRAM_ENABLE = 0x08;
const ESMRAMC = 0x9e; // RW, 8
const ESMRAMC_HIGH = 0x80;
const ESMRAMC_TSEG = 0x01;
const ESMRAMC_TSEG_SIZE_SHIFT = 1;
/** Bytes of TSEG by bits 2..1. The last is QEMU's, whose register 0x50 for its size is not modelled. */
const TSEG_SIZES = [0x10_0000, 0x20_0000, 0x80_0000, 0x100_0000];

/** The hub as a PCI function. */
export class Q35Mch {
  readonly function: PlainFunction;
  readonly #system: MemoryRegion;
  readonly #pam: PamAreas;
  readonly #smramRegion: MemoryRegion | undefined;
  readonly #smramOpenHigh: MemoryRegion | undefined;
  readonly #smramLow: MemoryRegion | undefined;
  readonly #smramHigh: MemoryRegion | undefined;
  readonly #tsegBlackhole: MemoryRegion | undefined;
  readonly #tsegWindow: MemoryRegion | undefined;
  /** End of the RAM below 4 GiB, where TSEG ends. */
  readonly #ramEnd: bigint;

  /**
   * @param system the region whose children are the aliases `pam-*`, `smram-region`, `smram-open-high` and `ram-below-4g`, and `tseg-blackhole`.
   * @param smram the region whose children are `smram-low`, `smram-high` and `tseg-window`.
   */
  constructor(placed: PlacedFunction, system: MemoryRegion, smram: MemoryRegion | undefined) {
    this.#system = system;
    this.#pam = new PamAreas(system, PAM_0);
    this.#smramRegion = system.children.find(({ name }) => name === 'smram-region');
    this.#smramOpenHigh = system.children.find(({ name }) => name === 'smram-open-high');
    this.#smramLow = smram?.children.find(({ name }) => name === 'smram-low');
    this.#smramHigh = smram?.children.find(({ name }) => name === 'smram-high');
    this.#tsegBlackhole = system.children.find(({ name }) => name === 'tseg-blackhole');
    this.#tsegWindow = smram?.children.find(({ name }) => name === 'tseg-window');
    const ram = system.children.find(({ name }) => name === 'ram-below-4g');
    this.#ramEnd = ram === undefined ? 0n : ram.addr + ram.size;
    this.function = new PlainFunction(placed, () => this.#follow());
    this.#follow();
  }

  /** One transaction, so that the guest never sees half a change. */
  #follow(): void {
    this.#lock();
    const { config } = this.function;
    this.#system.core.transaction(() => {
      this.#pam.follow(config);
      const smram = config.get(SMRAM, 1);
      const enabled = (smram & SMRAM_ENABLE) !== 0;
      const open = (smram & SMRAM_OPEN) !== 0;
      // Open SMRAM is seen whether it is enabled or not; enabling is for SMM's own view (seen).
      const high = (config.get(ESMRAMC, 1) & ESMRAMC_HIGH) !== 0;
      this.#smramRegion?.setEnabled(!open || high);
      this.#smramOpenHigh?.setEnabled(open && high);
      this.#smramLow?.setEnabled(enabled && !high);
      this.#smramHigh?.setEnabled(enabled && high);
      this.#placeTseg(enabled);
    });
  }

  /** TSEG is the last RAM below 4 GiB: SMM sees it, others see ones. Off, its regions are at the end of RAM, without a byte. Where RAM is smaller it begins below 0, which is the end of the space (seen). */
  #placeTseg(enabled: boolean): void {
    const extended = this.function.config.get(ESMRAMC, 1);
    const on = enabled && (extended & ESMRAMC_TSEG) !== 0;
    const size = on ? BigInt(TSEG_SIZES[(extended >> ESMRAMC_TSEG_SIZE_SHIFT) & 3]!) : 0n;
    const start = BigInt.asUintN(64, this.#ramEnd - size);
    for (const region of [this.#tsegBlackhole, this.#tsegWindow]) {
      region?.setEnabled(on);
      region?.setSize(size);
      region?.setAddress(start);
    }
    this.#tsegWindow?.setAliasOffset(start);
  }

  /** Once locked, the open bit goes to 0, and all but the closed bit stays until a reset. */
  #lock(): void {
    const { config } = this.function;
    const smram = config.get(SMRAM, 1);
    const locked = (smram & SMRAM_LOCK) !== 0;
    const writable = SMRAM_OPEN | SMRAM_CLOSED | SMRAM_LOCK | SMRAM_ENABLE;
    config.define(SMRAM, 1, locked ? smram & ~SMRAM_OPEN : smram, locked ? SMRAM_CLOSED : writable);
    config.define(ESMRAMC, 1, config.get(ESMRAMC, 1), locked ? 0 : 0x87);
  }
}
