/**
 * The arena of flat-view tables (worker/table-publisher.ts, worker/table-reader.ts): publish, retire, reuse, the empty
 * table when none is free, and readers that keep windows of the table they saw last. Grace periods are the contract of
 * a retired table is given back when every reader that was inside has left. Proves that no reader uses a table, or
 * RAM that it showed, after either was reclaimed.
 */
import { BLOCKED, type Model, type Process, type State, type Step } from './explorer.ts';

export type ArenaVariant = 'right' | 'early reclaim' | 'index without publication number' | 'rewrite while published';

export interface ArenaOptions {
  readonly readers: readonly number[];
  readonly tables: number;
  readonly commits: number;
  readonly variant?: ArenaVariant;
}

const CURRENT = 0; // 0 the empty table.
const PUBLICATIONS = 1;

export function tableArena(options: ArenaOptions): Model {
  const { readers, tables, commits } = options;
  const variant = options.variant ?? 'right';
  let size = 2;
  const place = (words: number): number => {
    size += words;
    return size - words;
  };
  const number = place(tables + 1); // Publication number in each table; 255 while it is written.
  const state = place(tables + 1); // 0 free, 1 published, 2 retired.
  const waits = place(tables + 1); // Retired: readers (bits) that were inside at the time.
  const gone = place(commits + 1); // RAM that publication n showed: 1 reclaimed.
  const inside = place(readers.length);
  const owner = place(2);
  const [COMMIT, NEXT] = [owner, owner + 1] as const;

  const reclaim = (s: State, table: number): void => {
    s[gone + s[number + table]!] = 1;
    s[state + table] = 0;
  };

  const reader = (r: number, sections: number): Process => {
    const a = place(4);
    const [COUNT, TABLE, SEEN, TAKEN] = [a, a + 1, a + 2, a + 3] as const;
    const check = (s: State, fail: (what: string) => void): void => {
      // The empty table shows nothing: those accesses are the owner's.
      if (s[TABLE] !== 0 && s[gone + s[SEEN]!] === 1)
        fail(`reader ${r} uses RAM of publication ${s[SEEN]} after it was reclaimed`);
    };
    const code: Record<string, Step> = {
      enter: (s) => {
        s[inside + r] = 1;
        return 'current';
      },
      current: (s) => {
        s[TAKEN] = s[CURRENT]!;
        return 'compare';
      },
      // Same table, same number: windows of before are still good.
      compare: (s, fail) => {
        if (s[TAKEN] !== 0 && s[number + s[TAKEN]!] === 255) fail(`reader ${r} reads a table that is being written`);
        const same =
          s[TAKEN] === s[TABLE] &&
          (variant === 'index without publication number' || s[number + s[TAKEN]!] === s[SEEN]);
        if (!same) {
          s[TABLE] = s[TAKEN]!;
          s[SEEN] = s[number + s[TAKEN]!]!;
        }
        s[TAKEN] = 0;
        return 'use';
      },
      use: (s, fail) => {
        check(s, fail);
        return 'use again';
      },
      'use again': (s, fail) => {
        check(s, fail);
        return 'leave';
      },
      leave: (s) => {
        s[inside + r] = 0;
        for (let t = 1; t <= tables; t++) s[waits + t]! &= ~(1 << r);
        s[COUNT]!++;
        return s[COUNT]! < sections ? 'enter' : 'end';
      },
    };
    return { name: `reader ${r}`, code };
  };

  const commit: Process = {
    name: 'owner',
    code: {
      commit: (s) => {
        if (s[COMMIT]! >= commits) return 'reclaim the rest';
        s[COMMIT]!++;
        s[NEXT] = 0;
        for (let t = 1; t <= tables; t++) if (s[state + t] === 0) s[NEXT] = t;
        if (variant === 'rewrite while published' && s[NEXT] === 0) s[NEXT] = s[CURRENT]!;
        return s[NEXT] === 0 ? 'publish' : 'write';
      },
      write: (s) => {
        s[number + s[NEXT]!] = 255;
        return 'written';
      },
      written: (s) => {
        s[PUBLICATIONS]!++;
        s[number + s[NEXT]!] = s[PUBLICATIONS]!;
        return 'publish';
      },
      publish: (s) => {
        const old = s[CURRENT]!;
        s[CURRENT] = s[NEXT]!;
        if (s[NEXT] !== 0) s[state + s[NEXT]!] = 1;
        s[NEXT] = 0;
        if (old !== 0 && old !== s[CURRENT]) {
          s[state + old] = 2;
          let bits = 0;
          for (let r = 0; r < readers.length; r++) if (s[inside + r] === 1) bits |= 1 << r;
          s[waits + old] = bits;
          if (variant === 'early reclaim') reclaim(s, old);
        }
        // Between commits any retired table whose readers have left may be given back, or not yet.
        return ['commit', 'reclaim'];
      },
      reclaim: (s) => {
        for (let t = 1; t <= tables; t++) {
          if (s[state + t] !== 2 || s[waits + t] !== 0) continue;
          reclaim(s, t);
        }
        return 'commit';
      },
      'reclaim the rest': (s) => {
        let left = 0;
        for (let t = 1; t <= tables; t++) {
          if (s[state + t] === 2 && s[waits + t] === 0) reclaim(s, t);
          if (s[state + t] === 2) left++;
        }
        return left === 0 ? 'end' : BLOCKED;
      },
    },
  };

  const processes = [...readers.map((sections, r) => reader(r, sections)), commit];
  const initial = new Array<number>(size).fill(0);
  return {
    name: `table arena, readers [${readers.join(', ')}], ${tables} tables, ${commits} commits`,
    initial,
    processes,
  };
}
