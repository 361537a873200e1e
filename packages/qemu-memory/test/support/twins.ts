/**
 * The same random edits done to the library and to the naive model, side by side. One unit of the model is `unit` bytes
 * of the library.
 */
import { bufferBacking } from '@guestmem/vm-memory';
import {
  type AddressSpace,
  type FlatView,
  LogClient,
  MemoryCore,
  type MemoryRegion,
  RamBlock,
} from '../../src/index.ts';
import { addChild, type ModelRegion, paint, removeChild, Unpaintable } from './painter.ts';
import type { Random } from './random.ts';

const OPS = { read: () => 0, write() {} };

/** A machine and its model. */
export class Twins {
  readonly core: MemoryCore = new MemoryCore();
  readonly spaces: { readonly space: AddressSpace; readonly root: ModelRegion }[] = [];
  /** Spaces from the first that are not disposed of. */
  keep = 0;
  readonly models: ModelRegion[] = [];
  readonly regions: MemoryRegion[] = [];
  /** Is all memory logged (T-135)? */
  logging = false;
  readonly #random: Random;
  readonly #kick: MemoryRegion = this.core.container('kick', 0);
  readonly #unit: bigint;
  readonly #units: number;
  readonly #framed: boolean;
  readonly #block = new RamBlock('block', bufferBacking(16));

  /**
   * @param units addresses of the space that is painted; sizes and offsets go a little beyond.
   * @param framed gives each space a root of its own, which shows `units` of a random region through an alias; else the
   *   region is the root, and the space must have `units` addresses in all.
   */
  constructor(random: Random, unit: bigint, units: number, framed: boolean) {
    this.#random = random;
    this.#unit = unit;
    this.#units = units;
    this.#framed = framed;
    for (let i = 0; i < 3; i++) this.#create();
    this.#addSpace(this.models[0]!);
  }

  /** What the model says each space shows. */
  expected(): string[][] {
    return this.spaces.map(({ root }) => paint(root, this.#units));
  }

  /** What the library says. */
  actual(): string[][] {
    return this.spaces.map(({ space }) => this.lines(space.view));
  }

  lines(view: FlatView): string[] {
    const { unit } = this;
    const end = BigInt(this.#units) * unit;
    const painted = [...view].filter((range) => range.first < end);
    return painted.map((range) => {
      const flags = `${range.readonly ? ' ro' : ''}${range.nonvolatile ? ' nv' : ''}${range.romdMode ? '' : ' io'}`;
      const last = range.last < end ? range.last : end - 1n;
      const place = `${range.first / unit}-${(last + 1n) / unit - 1n}`;
      return `${place} ${range.region.name.slice(1)}+${range.offset / unit}${flags}${(range.dirtyMask & 1) !== 0 ? ' log' : ''}`;
    });
  }

  /** Has the core render what edits did without asking for it: moving a root, for example (T-45, T-68). */
  kick(): void {
    this.#kick.setEnabled(!this.#kick.enabled);
  }

  get unit(): bigint {
    return this.#unit;
  }

  /** One random edit, or none where it would make the tree unpaintable. */
  step(): void {
    const random = this.#random;
    const i = random.below(this.models.length);
    const model = this.models[i]!;
    const region = this.regions[i]!;
    switch (random.below(14)) {
      case 0:
        if (this.models.length < 18) this.#create();
        return;
      case 1:
      case 2:
      case 3:
        this.#map(model, region);
        return;
      case 4:
        if (model.container === null) return;
        this.regions[model.container.id]!.delSubregion(region);
        removeChild(model);
        return;
      case 5:
      case 6:
        this.#set(model, 'enabled', !model.enabled, () => region.setEnabled(model.enabled));
        return;
      case 7: {
        const to = random.below(this.#units);
        const from = { addr: model.addr, container: model.container };
        if (to === model.addr || from.container === null) return;
        const siblings = [...from.container.children];
        removeChild(model);
        addChild(from.container, model, to, model.priority);
        if (this.#paintable()) region.setAddress(BigInt(to) * this.#unit);
        else {
          model.addr = from.addr;
          from.container.children = siblings;
        }
        return;
      }
      case 8:
        this.#set(model, 'size', random.below(this.#units + 1), () => region.setSize(BigInt(model.size) * this.#unit));
        return;
      case 9:
        if (model.target !== null)
          this.#set(model, 'aliasOffset', random.below(this.#units), () =>
            region.setAliasOffset(BigInt(model.aliasOffset) * this.#unit),
          );
        return;
      case 10:
        this.#set(model, 'readonly', random.once(3), () => region.setReadonly(model.readonly));
        return;
      case 11:
        this.#set(model, 'nonvolatile', random.once(3), () => region.setNonvolatile(model.nonvolatile));
        return;
      case 12:
        if (random.once(3)) {
          this.logging = !this.logging;
          if (this.logging) this.core.globalDirtyLogStart(1);
          else this.core.globalDirtyLogStop(1);
        } else if (random.once(2)) this.#set(model, 'romd', !model.romd, () => region.romDeviceSetRomd(model.romd));
        else this.#set(model, 'logged', !model.logged, () => region.setLog(model.logged, LogClient.VGA));
        return;
      default:
        if (this.spaces.length < 4) this.#addSpace(model);
        else if (random.once(4)) {
          const at = this.keep + random.below(this.spaces.length - this.keep);
          this.spaces.splice(at, 1)[0]!.space.dispose();
        }
    }
  }

  #map(model: ModelRegion, region: MemoryRegion): void {
    const into = this.#random.pick(this.models);
    if (model.container !== null || into.kind === 'alias') return;
    for (let at: ModelRegion | null = into; at !== null; at = at.container) if (at === model) return;
    const addr = this.#random.below(this.#units);
    const priority = this.#random.below(3) - 1;
    const before = model.addr;
    addChild(into, model, addr, priority);
    if (this.#paintable()) this.regions[into.id]!.addSubregion(BigInt(addr) * this.#unit, region, priority);
    else {
      removeChild(model);
      model.addr = before;
    }
  }

  #set<K extends 'enabled' | 'size' | 'aliasOffset' | 'readonly' | 'nonvolatile' | 'romd' | 'logged'>(
    model: ModelRegion,
    key: K,
    value: ModelRegion[K],
    apply: () => void,
  ): void {
    const before = model[key];
    if (before === value) return;
    model[key] = value;
    if (this.#paintable()) apply();
    else model[key] = before;
  }

  #create(): void {
    const random = this.#random;
    const id = this.models.length;
    const kind = id < 2 ? 'container' : random.pick(['container', 'io', 'ram', 'romDevice', 'alias', 'alias'] as const);
    const size = id < 1 ? this.#units : 1 + random.below(this.#units);
    const target = kind === 'alias' ? random.pick(this.models) : null;
    const aliasOffset = kind === 'alias' && random.once(2) ? random.below(this.#units) : 0;
    const bytes = BigInt(size) * this.#unit;
    const { core } = this;
    const name = `r${id}`;
    const region =
      kind === 'container'
        ? core.container(name, bytes)
        : kind === 'io'
          ? core.io(name, bytes, OPS)
          : kind === 'ram'
            ? core.ram(name, this.#block, { size: bytes })
            : kind === 'romDevice'
              ? core.romDevice(name, this.#block, OPS, { size: bytes })
              : core.alias(name, this.regions[target!.id]!, BigInt(aliasOffset) * this.#unit, bytes);
    this.regions.push(region);
    this.models.push(model(kind, id, size, target, aliasOffset));
  }

  #addSpace(shown: ModelRegion): void {
    const name = `s${this.spaces.length}`;
    if (!this.#framed) {
      if (this.#paintable(shown))
        this.spaces.push({ space: this.core.addressSpace(this.regions[shown.id]!, name), root: shown });
      return;
    }
    const root = model('container', -1, this.#units, null, 0);
    addChild(root, model('alias', -1, this.#units, shown, 0), 0, 0);
    if (!this.#paintable(root)) return;
    const bytes = BigInt(this.#units) * this.#unit;
    const frame = this.core.container('frame', bytes);
    frame.addSubregion(0, this.core.alias('in-frame', this.regions[shown.id]!, 0, bytes));
    this.spaces.push({ space: this.core.addressSpace(frame, name), root });
  }

  /** Can all spaces be painted, as the model stands? */
  #paintable(extra?: ModelRegion): boolean {
    try {
      for (const { root } of this.spaces) paint(root, this.#units);
      if (extra !== undefined) paint(extra, this.#units);
      return true;
    } catch (error) {
      if (error instanceof Unpaintable) return false;
      throw error;
    }
  }
}

function model(
  kind: ModelRegion['kind'],
  id: number,
  size: number,
  target: ModelRegion | null,
  aliasOffset: number,
): ModelRegion {
  return {
    id,
    kind,
    size,
    addr: 0,
    priority: 0,
    enabled: true,
    readonly: false,
    nonvolatile: false,
    romd: true,
    logged: false,
    target,
    aliasOffset,
    container: null,
    children: [],
  };
}
