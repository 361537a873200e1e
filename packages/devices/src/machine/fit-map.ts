/** Fits a machine's tree to its options: size of RAM and firmware, regions that an option takes out. Cold, pure. */
import type { MapAddress, MapRegion, MemoryMap } from '@guestmem/qemu-memory';
import type { FirmwareRule, MachineDefinition, RamRule } from './definition.ts';
import { MachineError } from './error.ts';

/** What is chosen. */
export interface FitOptions {
  readonly ramBytes: bigint;
  /** Bytes of the firmware file; undefined: none is loaded and its region keeps its size. */
  readonly firmwareBytes?: number;
  /** Names of regions that are left out. */
  readonly without: ReadonlySet<string>;
}

/** The tree of `definition`, fitted. @throws {MachineError} a size that the machine cannot have. */
export function fitMap(definition: MachineDefinition, options: FitOptions): MemoryMap {
  const fitted = new Fitting(definition.map);
  fitRam(fitted, definition.ram, options.ramBytes);
  if (definition.firmware !== undefined && options.firmwareBytes !== undefined)
    fitFirmware(fitted, definition.firmware, options.firmwareBytes);
  for (const name of options.without) fitted.remove(name);
  return fitted.map();
}

type Draft = { -readonly [K in keyof MapRegion]: MapRegion[K] };

class Fitting {
  readonly #source: MemoryMap;
  readonly #regions: Draft[];

  constructor(source: MemoryMap) {
    this.#source = source;
    this.#regions = source.regions.map((region) => ({ ...region }));
  }

  /** All regions called `name`. @throws {MachineError} none is. */
  named(name: string): Draft[] {
    const found = this.#regions.filter((region) => region.name === name);
    if (found.length === 0) throw new MachineError('bad-definition', `the map has no region "${name}"`);
    return found;
  }

  /** Takes the regions of a name out of their containers; they stay in the list, mapped nowhere. */
  remove(name: string): void {
    for (const region of this.#regions) {
      if (region.children === undefined) continue;
      const children = region.children.filter((id) => this.#regions[id]!.name !== name);
      if (children.length !== region.children.length) region.children = children;
    }
  }

  map(): MemoryMap {
    const { views: _, ...source } = this.#source;
    return { ...source, regions: this.#regions };
  }
}

function fitRam(map: Fitting, rule: RamRule, bytes: bigint): void {
  const max = BigInt(rule.max);
  if (bytes <= 0n || bytes > max)
    throw new MachineError('bad-size', `RAM must be 1 byte to 0x${max.toString(16)} here, not 0x${bytes.toString(16)}`);
  for (const block of map.named(rule.block)) block.size = mapAddress(bytes);
  if (rule.low === undefined) return;
  const split = rule.splitFrom !== undefined && bytes >= BigInt(rule.splitFrom);
  const lowMax = BigInt(rule.lowMax ?? rule.max);
  const low = (split || rule.splitFrom === undefined) && bytes > lowMax ? lowMax : bytes;
  for (const alias of map.named(rule.low)) alias.size = mapAddress(low);
  if (rule.high === undefined) return;
  if (low === bytes) map.remove(rule.high);
  else
    for (const alias of map.named(rule.high)) {
      alias.size = mapAddress(bytes - low);
      alias.aliasOffset = mapAddress(low);
    }
}

function fitFirmware(map: Fitting, rule: FirmwareRule, bytes: number): void {
  if (rule.end === undefined) {
    for (const name of rule.blocks)
      for (const block of map.named(name))
        if (BigInt(bytes) > BigInt(block.size))
          throw new MachineError('bad-size', `the firmware has ${bytes} bytes; "${name}" holds ${Number(block.size)}`);
    return;
  }
  if (bytes === 0 || bytes % 0x1_0000 !== 0 || bytes > 0x100_0000)
    throw new MachineError('bad-size', `the firmware must be 64 KiB to 16 MiB in steps of 64 KiB, not ${bytes} bytes`);
  for (const name of rule.blocks)
    for (const block of map.named(name)) {
      block.size = mapAddress(bytes);
      block.addr = mapAddress(BigInt(rule.end) - BigInt(bytes));
    }
  if (rule.mirror === undefined) return;
  const shown = Math.min(bytes, 0x2_0000);
  for (const alias of map.named(rule.mirror.alias)) {
    alias.size = mapAddress(shown);
    alias.addr = mapAddress(BigInt(rule.mirror.end) - BigInt(shown));
    alias.aliasOffset = mapAddress(bytes - shown);
  }
}

function mapAddress(value: bigint | number): MapAddress {
  return `0x${value.toString(16)}`;
}
