/**
 * The life of a view with a reference count: look-up and try-ref inside a section, use outside, unref, destruction by
 * callRcu when the count falls to 0, release of its regions. Proves A-247 (and ).
 */
import { BLOCKED, type Model, type Process, type State, type Step } from './explorer.ts';

export type ViewVariant = 'right' | 'reference without a test' | 'destroyed at once' | 'no section around the look-up';

export interface ViewOptions {
  /** References that each user takes and drops. */
  readonly users: readonly number[];
  readonly commits: number;
  readonly variant?: ViewVariant;
}

const PTR = 0;

export function viewLife(options: ViewOptions): Model {
  const { users, commits } = options;
  const variant = options.variant ?? 'right';
  const views = commits + 1;
  let size = 1;
  const place = (words: number): number => {
    size += words;
    return size - words;
  };
  const count = place(views);
  const destroyed = place(views);
  const waits = place(views); // Queued for destruction: 128 + readers (bits) that were inside.
  const region = place(views); // References on the owner of its region.
  const inside = place(users.length);

  const drop = (s: State, view: number): void => {
    s[count + view]!--;
    if (s[count + view] !== 0) return;
    let bits = 128;
    for (let u = 0; u < users.length; u++) if (s[inside + u] === 1) bits |= 1 << u;
    s[waits + view] = variant === 'destroyed at once' ? 128 : bits;
  };

  const user = (u: number, rounds: number): Process => {
    const a = place(4);
    const [ROUND, HELD, READ, HAS] = [a, a + 1, a + 2, a + 3] as const;
    const fresh = (s: State, view: number, fail: (what: string) => void): void => {
      if (s[destroyed + view] !== 0) fail(`user ${u} touches view ${view}, which is destroyed`);
    };
    const code: Record<string, Step> = {
      enter: (s) => {
        if (variant !== 'no section around the look-up') s[inside + u] = 1;
        return 'pointer';
      },
      pointer: (s) => {
        s[HELD] = s[PTR]!;
        return 'count?';
      },
      'count?': (s, fail) => {
        fresh(s, s[HELD]!, fail);
        s[READ] = s[count + s[HELD]!]!;
        if (variant === 'reference without a test') return 'blind add';
        return s[READ] === 0 ? 'pointer' : 'compare and add';
      },
      'compare and add': (s, fail) => {
        fresh(s, s[HELD]!, fail);
        if (s[count + s[HELD]!] !== s[READ]) return 'count?';
        s[count + s[HELD]!]!++;
        return 'leave';
      },
      'blind add': (s, fail) => {
        fresh(s, s[HELD]!, fail);
        if (s[count + s[HELD]!] === 0) fail(`user ${u} revives view ${s[HELD]}`);
        s[count + s[HELD]!]!++;
        return 'leave';
      },
      leave: (s) => {
        s[READ] = 0;
        s[HAS] = 1;
        s[inside + u] = 0;
        for (let v = 0; v < views; v++) s[waits + v]! &= ~(1 << u);
        return 'use';
      },
      use: (s, fail) => {
        fresh(s, s[HELD]!, fail);
        if (s[region + s[HELD]!] === 0) fail(`the owner of a region of view ${s[HELD]} is not referenced`);
        return 'unref';
      },
      unref: (s) => {
        drop(s, s[HELD]!);
        s[HELD] = 0;
        s[HAS] = 0;
        s[ROUND]!++;
        return s[ROUND]! < rounds ? 'enter' : 'end';
      },
    };
    return { name: `user ${u}`, code };
  };

  const updater: Process = {
    name: 'updater',
    code: {
      commit: (s) => {
        const next = s[PTR]! + 1;
        if (next > commits) return 'finish';
        s[count + next] = 1;
        s[region + next] = 1;
        return 'publish';
      },
      publish: (s) => {
        s[PTR]!++;
        return 'unref old';
      },
      'unref old': (s) => {
        drop(s, s[PTR]! - 1);
        return 'commit';
      },
      finish: (s) => {
        for (let v = 0; v < commits; v++) if (s[destroyed + v] === 0) return BLOCKED;
        return 'end';
      },
    },
  };

  /** Runs what callRcu queued, when its grace period has ended. */
  const callbacks: Process = {
    name: 'callbacks',
    daemon: true,
    code: {
      run: (s, fail) => {
        const view = Array.from({ length: views }, (_, v) => v).find((v) => s[waits + v] === 128);
        if (view === undefined) return BLOCKED;
        s[waits + view] = 0;
        s[destroyed + view]!++;
        if (s[destroyed + view] !== 1) fail(`view ${view} is destroyed twice`);
        if (s[count + view] !== 0) fail(`view ${view} is destroyed while it is referenced`);
        s[region + view] = 0;
        return 'run';
      },
    },
  };

  const processes = [...users.map((rounds, u) => user(u, rounds)), updater, callbacks];
  const initial = new Array<number>(size).fill(0);
  initial[count] = 1;
  initial[region] = 1;
  return {
    name: `view life cycle, users [${users.join(', ')}], ${commits} commits`,
    initial,
    processes,
    mustFinish: ['updater', ...users.map((_, u) => `user ${u}`)],
  };
}
