/** Builders and a printer for tests of topology: short names, hexadecimal lines. */
import { sparseBacking } from '@guestmem/vm-memory';
import {
  type AddressSpace,
  type FlatView,
  MemoryCore,
  type MemoryListener,
  type MemoryRegion,
  MemoryRegionError,
  type MemoryRegionSection,
} from '../../src/index.ts';

/** 2^64. */
export const SPACE: bigint = 1n << 64n;

const OPS = { read: () => 0, write() {} };

/** A core with factories that take only a name and a size. */
export class Bench {
  readonly core: MemoryCore;

  constructor(core: MemoryCore = new MemoryCore()) {
    this.core = core;
  }

  container(name: string, size: number | bigint = SPACE, owner: object | null = null): MemoryRegion {
    return this.core.container(name, size, { owner });
  }
  io(name: string, size: number | bigint, owner: object | null = null): MemoryRegion {
    return this.core.io(name, size, OPS, { owner });
  }
  /** RAM that is not allocated until it is touched. */
  ram(name: string, size: number, owner: object | null = null): MemoryRegion {
    return this.core.ram(name, sparseBacking(size), { owner });
  }
  rom(name: string, size: number): MemoryRegion {
    return this.core.rom(name, sparseBacking(size));
  }
  romDevice(name: string, size: number): MemoryRegion {
    return this.core.romDevice(name, sparseBacking(size), OPS);
  }
  alias(name: string, target: MemoryRegion, offset: number | bigint, size: number | bigint): MemoryRegion {
    return this.core.alias(name, target, offset, size);
  }
  iommu(name: string, size: number | bigint): MemoryRegion {
    return this.core.iommu(name, size, {
      translate: () => ({ target: null, iova: 0, translatedAddr: 0, addrMask: 0xfff, permission: 0 }),
    } as never);
  }
  space(root: MemoryRegion, name = 'memory'): AddressSpace {
    return this.core.addressSpace(root, name);
  }
}

/** The ranges of a view: `first-last name @offset ro nv`. */
export function lines(shown: AddressSpace | FlatView): string[] {
  const view = 'view' in shown ? shown.view : shown;
  return view.ranges.map((range) => {
    const offset = range.offset === 0n ? '' : ` @${range.offset.toString(16)}`;
    const flags = `${range.readonly ? ' ro' : ''}${range.nonvolatile ? ' nv' : ''}${range.romdMode ? '' : ' io'}`;
    return `${range.first.toString(16)}-${range.last.toString(16)} ${range.region.name}${offset}${flags}`;
  });
}

/** The lines of `shown` that lie in [lo, hi). */
export function linesIn(shown: AddressSpace, lo: number, hi: number): string[] {
  return lines(shown).filter((line) => {
    const first = Number.parseInt(line, 16);
    return first >= lo && first < hi;
  });
}

/** A section as a line. */
export function sectionLine(section: MemoryRegionSection): string {
  const { region, offsetWithinRegion: offset, offsetWithinAddressSpace: first } = section;
  const flags = `${section.readonly ? ' ro' : ''}${section.nonvolatile ? ' nv' : ''}`;
  return `${first.toString(16)}-${section.last.toString(16)} ${region.name}${offset === 0n ? '' : ` @${offset.toString(16)}`}${flags}`;
}

/** A listener with every callback (but logSync, which excludes logSyncGlobal) that writes what it hears into `log`. */
export function recorder(name: string, log: string[], options: RecorderOptions = {}): MemoryListener {
  const say = (text: string): void => {
    log.push(`${name} ${text}`.trim());
  };
  return {
    name,
    priority: options.priority ?? 0,
    begin: () => say('begin'),
    commit: () => say('commit'),
    regionAdd: (section) => say(`add ${sectionLine(section)}`),
    regionDel: (section) => say(`del ${sectionLine(section)}`),
    ...(options.nop === false ? {} : { regionNop: (section) => say(`nop ${sectionLine(section)}`) }),
    logStart: (section, from, to) => say(`logStart ${sectionLine(section)} ${from}->${to}`),
    logStop: (section, from, to) => say(`logStop ${sectionLine(section)} ${from}->${to}`),
    logGlobalStart: () => say('globalStart'),
    logGlobalStop: () => say('globalStop'),
    logGlobalAfterSync: () => say('afterSync'),
    logSync: (section) => say(`sync ${sectionLine(section)}`),
    logClear: (section) => say(`clear ${sectionLine(section)}`),
    eventfdAdd: (event) => say(`fdAdd ${event.addr.toString(16)} ${event.size}`),
    eventfdDel: (event) => say(`fdDel ${event.addr.toString(16)} ${event.size}`),
    coalescedIoAdd: (section, addr, size) =>
      say(`coalAdd ${section.region.name} ${addr.toString(16)} ${size.toString(16)}`),
    coalescedIoDel: (section, addr, size) =>
      say(`coalDel ${section.region.name} ${addr.toString(16)} ${size.toString(16)}`),
  };
}

/** Options of a recorder. */
export interface RecorderOptions {
  readonly priority?: number;
  /** Hear of ranges that stay? Default true. */
  readonly nop?: boolean;
}

/** What `log` has heard since the last call. */
export function drain(log: string[]): string[] {
  return log.splice(0);
}

/** The code of the MemoryRegionError that `act` throws, or 'none'. */
export function codeOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof MemoryRegionError) return error.code;
    throw error;
  }
  return 'none';
}
