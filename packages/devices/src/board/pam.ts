/**
 * The areas below 1 MiB of a PC where registers of the host bridge choose between RAM and what lies on the PCI bus: aliases in the
 * captured map, of which one an area is on. Which one was read off QEMU 7.2's `info mtree`, the same for both bridges. Intel 82441FX,
 * PAM[6:0]; Intel 3 Series Express Chipset, 5.1.
 */
import type { MemoryRegion } from '@guestmem/qemu-memory';
import type { ConfigSpace } from '../pci/config-space.ts';

/** The four aliases of one area: what is seen by the two bits "read RAM" and "write RAM". */
interface PamArea {
  readonly register: number;
  readonly shift: number;
  /** By value of the bits: PCI; RAM, read-only; RAM ("read ROM, write RAM" is not to be had, R-5); RAM. */
  readonly views: readonly MemoryRegion[];
}

/** All areas of one bridge. */
export class PamAreas {
  readonly #areas: readonly PamArea[];

  /**
   * @param system the region whose children are the aliases `pam-*`.
   * @param register offset of the first of seven registers: one nibble for each area, but of the first only the upper, which is for
   *   64 KiB at 0xf0000.
   */
  constructor(system: MemoryRegion, register: number) {
    this.#areas = findAreas(system, register);
  }

  /** Shows what the registers say. */
  follow(config: ConfigSpace): void {
    for (const area of this.#areas) {
      const chosen = (config.get(area.register, 1) >> area.shift) & 3;
      for (const [value, view] of area.views.entries()) view.setEnabled(value === chosen);
    }
  }
}

/** Groups the aliases by place. The two of one name differ in where they lead. */
function findAreas(system: MemoryRegion, first: number): PamArea[] {
  const groups = new Map<bigint, MemoryRegion[]>();
  for (const child of system.children)
    if (/^pam-(ram|rom|pci)$/.test(child.name)) groups.set(child.addr, [...(groups.get(child.addr) ?? []), child]);
  return [...groups].map(([addr, views]) => {
    const find = (name: string, toRam: boolean): MemoryRegion =>
      views.find((view) => view.name === name && (view.target!.name === 'pci') !== toRam)!;
    const place = addr === 0xf_0000n ? 1 : Number((addr - 0xc_0000n) / 0x4000n) + 2;
    return {
      register: first + (place >> 1),
      shift: (place & 1) * 4,
      views: [find('pam-pci', false), find('pam-rom', true), find('pam-pci', true), find('pam-ram', true)],
    };
  });
}
