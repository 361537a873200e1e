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
const ESMRAMC = 0x9e; // RW, 8; TSEG (bits 2..0) is kept and does nothing
const ESMRAMC_HIGH = 0x80;

/** The hub as a PCI function. */
export class Q35Mch {
  readonly function: PlainFunction;
  readonly #system: MemoryRegion;
  readonly #pam: PamAreas;
  readonly #smramRegion: MemoryRegion | undefined;
  readonly #smramOpenHigh: MemoryRegion | undefined;
  readonly #smramLow: MemoryRegion | undefined;
  readonly #smramHigh: MemoryRegion | undefined;

  /**
   * @param system the region whose children are the aliases `pam-*`, `smram-region` and `smram-open-high`.
   * @param smram the region whose children are `smram-low` and `smram-high`.
   */
  constructor(placed: PlacedFunction, system: MemoryRegion, smram: MemoryRegion | undefined) {
    this.#system = system;
    this.#pam = new PamAreas(system, PAM_0);
    this.#smramRegion = system.children.find(({ name }) => name === 'smram-region');
    this.#smramOpenHigh = system.children.find(({ name }) => name === 'smram-open-high');
    this.#smramLow = smram?.children.find(({ name }) => name === 'smram-low');
    this.#smramHigh = smram?.children.find(({ name }) => name === 'smram-high');
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
    });
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
