/**
 * The host bridge of a `pc`: registers that choose, area by area below 1 MiB, whether the processor sees RAM or what lies on the PCI
 * bus, and where SMM sees its RAM. What a register shows was read off QEMU 7.2's `info mtree`, which neither locks SMRAM nor resets the registers. Intel 82441FX,
 * PAM[6:0] and SMRAM.
 */
import type { MemoryRegion } from '@guestmem/qemu-memory';
import type { PlacedFunction } from '../machine/definition.ts';
import { PamAreas } from './pam.ts';
import { PlainFunction } from './plain-function.ts';

const DRAM_CONTROL = 0x57; // RW, 8
const PAM_0 = 0x59; // RW, 7 bytes
const SMRAM = 0x72; // RW, 8
const SMRAM_OPEN = 0x40;
const SMRAM_ENABLE = 0x08;

/** The bridge as a PCI function. */
export class I440fx {
  readonly function: PlainFunction;
  readonly #system: MemoryRegion;
  readonly #pam: PamAreas;
  readonly #smramRegion: MemoryRegion | undefined;
  readonly #smram: MemoryRegion | undefined;

  /**
   * @param system the region whose children are the aliases `pam-*` and `smram-region`.
   * @param smram the region that SMM sees above all others while SMRAM is enabled.
   */
  constructor(placed: PlacedFunction, system: MemoryRegion, smram: MemoryRegion | undefined) {
    this.#system = system;
    this.#pam = new PamAreas(system, PAM_0);
    this.#smramRegion = system.children.find(({ name }) => name === 'smram-region');
    this.#smram = smram;
    this.function = new PlainFunction(placed, () => this.#follow());
    this.#tellRam();
    this.#follow();
  }

  /** What QEMU leaves in DRAM control for its firmware: units of 8 MiB below 4 GiB, 255 at most (seen). */
  #tellRam(): void {
    const ram = this.#system.children.find(({ name }) => name === 'ram-below-4g');
    if (ram === undefined) return;
    const units = ram.size >> 23n;
    this.function.config.set(DRAM_CONTROL, 1, units < 0xffn ? Number(units) : 0xff);
  }

  /** One transaction, so that the guest never sees half a change. */
  #follow(): void {
    const { config } = this.function;
    this.#system.core.transaction(() => {
      this.#pam.follow(config);
      const smram = config.get(SMRAM, 1);
      this.#smramRegion?.setEnabled((smram & SMRAM_OPEN) === 0);
      this.#smram?.setEnabled((smram & SMRAM_ENABLE) !== 0);
    });
  }
}
