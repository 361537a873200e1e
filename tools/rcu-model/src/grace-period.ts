/**
 * The algorithm of rcu/shared-domain.ts and rcu/shared-reader.ts, one step per atomic operation: readers of both flavours,
 * updaters that publish, wait for a grace period and free, helpers that ask for grace periods of their own, registration,
 * death of readers and of helpers. Proves A-240, A-243, A-244, A-245; the variants show A-241, A-242 and what each rule of A-237 is for.
 */
import { BLOCKED, type Model, type Process, type State, type Step } from './explorer.ts';

/** What is changed on purpose. */
export type Variant =
  | 'right'
  | 'one phase'
  | 'pointer before counter'
  | 'no wake-up'
  | 'early reclaim'
  | 'waiting set after the look'
  | 'event read after the look'
  | 'step without compare'
  | 'parity apart from the phase'
  | 'quiescent without a store';

export interface GracePeriodOptions {
  /** Sections of each barrier reader. */
  readonly readers: readonly number[];
  /** Quanta of each quiescent-state reader. */
  readonly vcpus?: readonly number[];
  /** Objects that the updater replaces, each with a grace period. */
  readonly objects: number;
  /** Grace periods that a second agent asks and waits for meanwhile. */
  readonly helper?: number;
  /** Times that a second agent moves on what is running, without waiting. */
  readonly polls?: number;
  /** That agent ends somewhere in a step, and nobody is told. */
  readonly pollerDies?: boolean;
  /** Readers register before each section and unregister after it. */
  readonly register?: boolean;
  /** The first reader never stops entering sections. */
  readonly busy?: boolean;
  /** The first reader dies somewhere, and the updater's agent is told. */
  readonly dies?: boolean;
  readonly variant?: Variant;
}

// Shared words.
const GP = 0; // 8 x ended + 2 x phase + 1, as in the domain.
const PARITY = 1; // Only where it is apart: the parity, which one operation flips before another one changes the phase.
const EVENT = 2;
const PTR = 3;
/** The event counter wraps here: far enough that no waiter meets its old value again, near enough to keep states few. */
const EVENTS = 8;
const OBJECTS = 4; // One word each: 1 freed.

/** Builds the model. */
export function gracePeriod(options: GracePeriodOptions): Model {
  const { readers, vcpus = [], objects, helper = 0, polls = 0, register = false, busy = false, dies = false } = options;
  const { pollerDies = false } = options;
  const variant = options.variant ?? 'right';
  const slots = readers.length + vcpus.length;
  let size = OBJECTS + objects + 1;
  const place = (words: number): number => {
    size += words;
    return size - words;
  };
  // Per slot: claim, ctr, waiting, stamp; private: fetched gp, pointer, section, dead.
  const at = Array.from({ length: slots }, () => place(8));
  const CLAIM = 0;
  const CTR = 1;
  const WAITING = 2;
  const STAMP = 3;
  const FETCHED = 4;
  const HELD = 5;
  const SECTION = 6;
  const DEAD = 7;

  const isApart = variant === 'parity apart from the phase';
  /** With a single phase it is flipped once a grace period. */
  const parity = (gp: number): number => (variant === 'one phase' ? ((gp + 6) >> 3) & 1 : gp & 2);
  /** What a reader takes for its counter. */
  const current = (s: State): number => (isApart ? s[PARITY]! : s[GP]!);
  const use = (s: State, slot: number, fail: (what: string) => void): void => {
    if (s[OBJECTS + s[at[slot]! + HELD]!] === 1) fail(`reader ${slot} uses an object that was freed`);
  };

  /** Leaves: counter to 0, then the wake-up that was asked for. */
  const leave = (slot: number, name: string, then: string): Record<string, Step> => {
    const a = at[slot]!;
    return {
      [`${name} ctr=0`]: (s) => {
        s[a + CTR] = 0;
        return `${name} waiting?`;
      },
      [`${name} waiting?`]: (s) => (s[a + WAITING] === 0 || variant === 'no wake-up' ? then : `${name} waiting=0`),
      [`${name} waiting=0`]: (s) => {
        s[a + WAITING] = 0;
        return `${name} event`;
      },
      [`${name} event`]: (s) => {
        s[EVENT] = (s[EVENT]! + 1) % EVENTS;
        return then;
      },
    };
  };

  const reader = (slot: number, sections: number): Process => {
    const a = at[slot]!;
    const forever = busy && slot === 0;
    const wrong = variant === 'pointer before counter';
    const code: Record<string, Step> = {
      claim: (s) => {
        if (register) s[a + CLAIM] = 1;
        return wrong ? 'pointer' : 'fetch';
      },
      fetch: (s) => {
        s[a + FETCHED] = current(s);
        return 'publish';
      },
      publish: (s) => {
        s[a + CTR] = s[a + FETCHED]!;
        s[a + FETCHED] = 0;
        return wrong ? 'use' : 'pointer';
      },
      pointer: (s) => {
        s[a + HELD] = s[PTR]!;
        return wrong ? 'fetch' : 'use';
      },
      use: (s, fail) => {
        use(s, slot, fail);
        return 'use again';
      },
      'use again': (s, fail) => {
        use(s, slot, fail);
        s[a + HELD] = 0;
        return dies && slot === 0 ? ['leave ctr=0', 'die'] : 'leave ctr=0';
      },
      ...(dies && slot === 0
        ? {
            die: (s: State) => {
              s[a + DEAD] = 1;
              return 'end';
            },
          }
        : {}),
      ...leave(slot, 'leave', 'next'),
      next: (s) => {
        if (!forever) s[a + SECTION]!++;
        if (register) return 'unclaim';
        return forever || s[a + SECTION]! < sections ? 'claim' : 'end';
      },
      unclaim: (s) => {
        s[a + CLAIM] = 0;
        return 'late waiting?';
      },
      'late waiting?': (s) => (s[a + WAITING] === 0 || variant === 'no wake-up' ? 'again' : 'late waiting=0'),
      'late waiting=0': (s) => {
        s[a + WAITING] = 0;
        return 'late event';
      },
      'late event': (s) => {
        s[EVENT] = (s[EVENT]! + 1) % EVENTS;
        return 'again';
      },
      again: (s) => (s[a + SECTION]! < sections ? 'claim' : 'end'),
    };
    return { name: `reader ${slot}`, code, daemon: forever };
  };

  const vcpu = (slot: number, quanta: number): Process => {
    const a = at[slot]!;
    const code: Record<string, Step> = {
      fetch: (s) => {
        s[a + FETCHED] = current(s);
        return 'publish';
      },
      publish: (s) => {
        s[a + CTR] = s[a + FETCHED]!;
        s[a + FETCHED] = 0;
        return 'pointer';
      },
      pointer: (s) => {
        s[a + HELD] = s[PTR]!;
        return 'use';
      },
      use: (s, fail) => {
        use(s, slot, fail);
        return 'use again';
      },
      'use again': (s, fail) => {
        use(s, slot, fail);
        s[a + SECTION]!++;
        // The broken variant says it is in the new parity, but goes on with the pointer it has.
        if (s[a + SECTION]! >= quanta) {
          s[a + HELD] = 0;
          return 'offline ctr=0';
        }
        if (variant !== 'quiescent without a store') s[a + HELD] = 0;
        return 'quiescent?';
      },
      'quiescent?': (s) => {
        if (variant === 'quiescent without a store') {
          s[a + CTR] = current(s);
          return 'use';
        }
        return s[a + CTR] === current(s) ? 'pointer' : 'q ctr=0';
      },
      ...leave(slot, 'q', 'fetch'),
      ...leave(slot, 'offline', 'end'),
    };
    return { name: `vcpu ${slot}`, code };
  };

  /** An agent that waits for grace periods: request, step, wait. `frees`: replaces an object with each. `polls`: steps, never waits. */
  const waiter = (name: string, rounds: number, frees: boolean, polls = false): Process => {
    const t = place(7);
    const [ROUND, TICKET, SAW, SEEN, GPV, SCAN, ALL] = [t, t + 1, t + 2, t + 3, t + 4, t + 5, t + 6] as const;
    const late = variant === 'event read after the look';
    const clear = (s: State): void => {
      s[GPV] = s[SEEN] = s[SCAN] = s[ALL] = 0;
    };
    const nextSlot = (s: State): string => {
      s[SCAN]!++;
      return s[SCAN]! < slots ? 'stamp?' : 'decide';
    };
    const passed = (s: State): string => {
      s[at[s[SCAN]!]! + STAMP] = s[SEEN]!;
      return nextSlot(s);
    };
    const code: Record<string, Step> = {
      begin: (s) => {
        if (s[ROUND]! >= rounds) return 'end';
        s[ROUND]!++;
        if (frees) s[PTR] = s[ROUND]!; // Removal: the new object is published.
        return variant === 'early reclaim' && frees ? 'free' : 'request';
      },
      request: (s) => {
        const phase = s[GP]! >> 1;
        s[TICKET] = (phase & 3) === 0 ? phase + 4 : (phase & ~3) + 8;
        return late ? 'reached?' : 'event';
      },
      event: (s) => {
        s[SAW] = s[EVENT]!;
        return late ? 'wait' : 'reached?';
      },
      'reached?': (s) => (s[GP]! >> 1 >= s[TICKET]! ? 'free' : 'phase?'),
      'phase?': (s) => {
        s[SEEN] = s[GP]!;
        return (s[SEEN]! & 6) === 0 ? (isApart ? 'flip' : 'step') : 'look';
      },
      look: (s) => {
        s[GPV] = isApart ? s[PARITY]! : s[SEEN]!;
        s[SCAN] = 0;
        s[ALL] = 1;
        return 'stamp?';
      },
      'stamp?': (s) => (s[at[s[SCAN]!]! + STAMP] === s[SEEN] ? nextSlot(s) : 'ctr?'),
      'ctr?': (s) => {
        const a = at[s[SCAN]!]!;
        if (s[a + CTR] === 0 || parity(s[a + CTR]!) === parity(s[GPV]!)) return passed(s);
        return register ? 'claim?' : variant === 'waiting set after the look' ? 'waiting, too late' : 'waiting';
      },
      'claim?': (s) => (s[at[s[SCAN]!]! + CLAIM] === 0 ? passed(s) : 'waiting'),
      'waiting, too late': (s) => {
        s[at[s[SCAN]!]! + WAITING] = 1;
        s[ALL] = 0;
        return nextSlot(s);
      },
      waiting: (s) => {
        s[at[s[SCAN]!]! + WAITING] = 1;
        return 'ctr again?';
      },
      'ctr again?': (s) => {
        const a = at[s[SCAN]!]!;
        if (s[a + CTR] === 0 || parity(s[a + CTR]!) === parity(s[GPV]!)) return passed(s);
        if (register) return 'claim again?';
        s[ALL] = 0;
        return nextSlot(s);
      },
      'claim again?': (s) => {
        if (s[at[s[SCAN]!]! + CLAIM] === 0) return passed(s);
        s[ALL] = 0;
        return nextSlot(s);
      },
      decide: (s) => {
        if (s[ALL] === 0) {
          clear(s);
          return polls ? 'free' : 'not reached?';
        }
        return isApart && (s[SEEN]! & 6) === 2 ? 'flip' : 'step';
      },
      flip: (s) => {
        s[PARITY]! ^= 2;
        return 'step';
      },
      step: (s) => {
        const seen = s[SEEN]!;
        clear(s);
        if (s[GP] !== seen && variant !== 'step without compare') return 'reached?';
        const isLast = (seen & 6) === 4 || ((seen & 6) === 2 && variant === 'one phase');
        s[GP] = isLast ? (seen | 7) + 2 : seen + 2;
        return isLast ? 'last event' : 'reached?';
      },
      'last event': (s) => {
        s[EVENT] = (s[EVENT]! + 1) % EVENTS;
        return 'reached?';
      },
      'not reached?': (s) => (s[GP]! >> 1 >= s[TICKET]! ? 'free' : late ? 'event' : 'wait'),
      wait: (s) => (s[EVENT] === s[SAW] ? BLOCKED : late ? 'reached?' : 'event'),
      free: (s) => {
        if (frees) s[OBJECTS + s[ROUND]! - 1] = 1;
        s[TICKET] = s[SAW] = 0;
        return 'begin';
      },
    };
    return polls && pollerDies ? { name, code: mayEnd(code) } : { name, code };
  };

  /** The worker's exit event: what RcuDomain.evict('dead') does. */
  const reaper: Process = {
    name: 'reaper',
    daemon: true,
    code: {
      dead: (s) => {
        if (s[at[0]! + DEAD] === 0) return BLOCKED;
        s[at[0]! + CTR] = 0;
        return 'waiting=0';
      },
      'waiting=0': (s) => {
        s[at[0]! + WAITING] = 0;
        return 'claim=0';
      },
      'claim=0': (s) => {
        s[at[0]! + CLAIM] = 0;
        return 'event';
      },
      event: (s) => {
        s[EVENT] = (s[EVENT]! + 1) % EVENTS;
        return 'end';
      },
    },
  };

  const processes = [
    ...readers.map((sections, slot) => reader(slot, sections)),
    ...vcpus.map((quanta, i) => vcpu(readers.length + i, quanta)),
    waiter('updater', objects, true),
    ...(helper > 0 ? [waiter('helper', helper, false)] : []),
    ...(polls > 0 ? [waiter('poller', polls, false, true)] : []),
    ...(dies ? [reaper] : []),
  ];
  const initial = new Array<number>(size).fill(0);
  initial[GP] = initial[PARITY] = 1;
  const parts = [
    ...readers.map((n) => (busy ? 'busy' : `${n}`)),
    ...vcpus.map((n) => `vcpu ${n}`),
    ...(register ? ['registering'] : []),
    ...(dies ? ['one dies'] : []),
    ...(pollerDies ? ['who polls dies'] : []),
  ];
  const name = `grace period, readers [${parts.join(', ')}], ${objects} objects${helper > 0 ? `, ${helper} helped` : ''}${polls > 0 ? `, ${polls} polls` : ''}`;
  return { name, initial, processes, mustFinish: helper > 0 ? ['updater', 'helper'] : ['updater'] };
}

/** The same process, which may end before each of its steps. */
function mayEnd(code: Record<string, Step>): Record<string, Step> {
  return Object.fromEntries(
    Object.entries(code).map(([label, step]) => [
      label,
      (s, fail) => {
        const to = step(s, fail);
        return to === BLOCKED ? BLOCKED : [...(typeof to === 'string' ? [to] : to), 'end'];
      },
    ]),
  );
}
