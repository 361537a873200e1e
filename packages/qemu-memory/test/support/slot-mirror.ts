/** A slot table as an accelerator keeps it: by the callbacks of one listener alone, which throws when told what cannot be. T-110 to T-137. */
import type { AddressSpace, FlatView, MemoryListener, MemoryRegion, MemoryRegionSection } from '../../src/index.ts';

interface Row {
  readonly first: bigint;
  readonly last: bigint;
  readonly region: MemoryRegion;
  /** Place, region, offset and flags. */
  readonly text: string;
  mask: number;
}

function textOf(section: MemoryRegionSection): string {
  const { offsetWithinAddressSpace: first, last, region, offsetWithinRegion, readonly, nonvolatile } = section;
  return `${first}-${last} ${region.name}+${offsetWithinRegion} ${readonly} ${nonvolatile}`;
}

/** What each listener of a machine does beside. */
export interface MirrorOptions {
  readonly priority: number;
  /** Does it hear of what stays? */
  readonly nop: boolean;
  /** Called in each `commit`, where edits are allowed. */
  readonly amid: () => void;
}

/** One listener's belief. */
export class SlotMirror {
  readonly space: AddressSpace;
  #rows: Row[] = [];
  #logged = false;
  #phase: 'idle' | 'begun' | 'removing' | 'adding' = 'idle';
  #at = -1n;
  #ended = false;
  readonly #end: () => void;

  constructor(space: AddressSpace, options: MirrorOptions) {
    this.space = space;
    const handle = space.registerListener(this.#listener(options));
    this.#end = () => handle.dispose();
  }

  /** Is it to hear nothing more? */
  get ended(): boolean {
    return this.#ended;
  }

  /** Unregisters: all must have been taken back. */
  leave(): void {
    this.#ended = true;
    this.#end();
    must(this.#rows.length === 0, `left with ${this.#rows.length} rows`);
  }

  /** The region at `at`, by what it was told. */
  regionAt(at: bigint): MemoryRegion | null {
    return this.#rows.find(({ first, last }) => first <= at && at <= last)?.region ?? null;
  }

  /** Is global logging on, by what it was told? */
  get logged(): boolean {
    return this.#logged;
  }

  /** Its rows, with the clients they are logged for. */
  get lines(): string[] {
    const sorted = [...this.#rows].sort((a, b) => (a.first < b.first ? -1 : 1));
    return sorted.map(({ text, mask }) => `${text} ${mask}`);
  }

  #listener({ priority, nop, amid }: MirrorOptions): MemoryListener {
    return {
      priority,
      begin: () => {
        must(this.#phase === 'idle' || this.#ended, 'begin within begin');
        this.#phase = 'begun';
        this.#at = -1n;
      },
      commit: () => {
        must(this.#phase !== 'idle', 'commit without begin');
        this.#phase = 'idle';
        amid();
      },
      regionDel: (section, view) => {
        this.#advance('removing', section, view);
        this.#rows.splice(this.#rows.indexOf(this.#row(section)), 1);
      },
      regionAdd: (section, view) => {
        this.#advance('adding', section, view);
        const { offsetWithinAddressSpace: first, last, region, dirtyMask: mask } = section;
        must(!this.#rows.some((each) => each.first <= last && first <= each.last), 'regionAdd over another');
        this.#rows.push({ first, last, region, text: textOf(section), mask });
      },
      ...(nop && {
        regionNop: (section: MemoryRegionSection, view: FlatView) => {
          this.#advance('adding', section, view);
          this.#row(section);
        },
      }),
      logStart: (section, _old, mask) => {
        this.#row(section).mask = mask;
      },
      logStop: (section, old, mask) => {
        const row = this.#row(section);
        must(row.mask === old || row.mask === mask, `logStop from ${old} of one logged for ${row.mask}`);
        row.mask = mask;
      },
      logGlobalStart: () => {
        must(!this.#logged, 'global logging begins twice');
        this.#logged = true;
      },
      logGlobalStop: () => {
        must(this.#logged, 'global logging ends twice');
        this.#logged = false;
      },
    };
  }

  /** Removals come before additions, each ascending, with the view that look-ups use (T-114, T-118). */
  #advance(to: 'removing' | 'adding', { offsetWithinAddressSpace: at }: MemoryRegionSection, view: FlatView): void {
    must(view === this.space.view, 'another view than the published one');
    must(this.#phase !== 'idle', `${to} outside of a commit`);
    must(this.#phase !== 'adding' || to === 'adding', 'removing after adding');
    must(this.#phase !== to || at >= this.#at, `${to} is not ascending`);
    this.#phase = to;
    this.#at = at;
  }

  #row(section: MemoryRegionSection): Row {
    const text = textOf(section);
    const row = this.#rows.find((each) => each.text === text);
    must(row !== undefined, `told of ${text}, which it does not have`);
    return row!;
  }
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
