/**
 * The request ring (worker/ring-client.ts, worker/ring-server.ts): callers that take an entry, hand it over, wait, give up
 * or die; an owner that sleeps on the doorbell. Proves: a request is performed at most once, exactly once when its caller
 * was answered, never when its caller was told that it was withdrawn; no entry is lost; nobody sleeps for ever.
 */
import { BLOCKED, type Model, type Process, type State, type Step } from './explorer.ts';

export type RingVariant =
  | 'right'
  | 'doorbell not looked at again'
  | 'freed entry not told'
  | 'withdrawn without compare'
  | 'entry of the dead kept';

export interface RingOptions {
  /** Requests of each caller. */
  readonly callers: readonly number[];
  readonly entries: number;
  /** Callers may give up at any time. */
  readonly impatient?: boolean;
  /** The first caller dies somewhere; its exit is seen. */
  readonly dies?: boolean;
  readonly variant?: RingVariant;
}

const DOORBELL = 0;
const FREED = 1;
const SLEEPING = 2;
const CLAIMED = 1;
const READY = 2;
const SERVING = 3;
const ANSWERED = 4;
const ABANDONED = 5;

export function requestRing(options: RingOptions): Model {
  const { callers, entries, impatient = false, dies = false } = options;
  const variant = options.variant ?? 'right';
  let size = 3;
  const place = (words: number): number => {
    size += words;
    return size - words;
  };
  const state = place(entries); // 0 free, else (caller + 1) * 8 + phase.
  const performed = callers.map((count) => place(count)); // Times each request was performed.
  const round = place(callers.length);
  const dead = place(1);
  const tag = (caller: number, phase: number): number => (caller + 1) * 8 + phase;
  const free = (s: State, entry: number): void => {
    s[state + entry] = 0;
    if (variant !== 'freed entry not told') s[FREED] = (s[FREED]! + 1) % 64;
  };

  const caller = (c: number, count: number): Process => {
    const a = place(2);
    const [ENTRY, SAW] = [a, a + 1] as const;
    const mortal = (label: string): string | string[] => (dies && c === 0 ? [label, 'die'] : label);
    const finished = (s: State, expected: readonly number[], what: string, fail: (what: string) => void): string => {
      const times = s[performed[c]! + s[round + c]!]!;
      if (!expected.includes(times)) fail(`caller ${c}: the request was ${what}, and performed ${times} times`);
      s[round + c]!++;
      s[ENTRY] = s[SAW] = 0;
      return s[round + c]! < count ? 'freed?' : 'end';
    };
    const code: Record<string, Step> = {
      'freed?': (s) => {
        s[SAW] = s[FREED]!;
        s[ENTRY] = 0;
        return 'claim';
      },
      claim: (s) => {
        if (s[state + s[ENTRY]!] === 0) {
          s[state + s[ENTRY]!] = tag(c, CLAIMED);
          s[SAW] = 0;
          return mortal('ready');
        }
        s[ENTRY]!++;
        return s[ENTRY]! < entries ? 'claim' : 'wait for an entry';
      },
      'wait for an entry': (s) => (s[FREED] === s[SAW] ? BLOCKED : 'freed?'),
      ready: (s) => {
        s[state + s[ENTRY]!] = tag(c, READY);
        return mortal('ring');
      },
      ring: (s) => {
        s[DOORBELL] = (s[DOORBELL]! + 1) % 64;
        return 'sleeping?';
      },
      'sleeping?': (s) => {
        if (s[SLEEPING] === 1) s[SLEEPING] = 2; // Notified.
        return impatient ? ['wait', 'give up'] : mortal('wait');
      },
      wait: (s) => (s[state + s[ENTRY]!] === tag(c, ANSWERED) ? 'collect' : BLOCKED),
      collect: (s, fail) => {
        if (s[performed[c]! + s[round + c]!] !== 1)
          fail(`caller ${c} was answered, but the request was not performed once`);
        return mortal('free');
      },
      free: (s, fail) => {
        free(s, s[ENTRY]!);
        return finished(s, [1], 'answered', fail);
      },
      'give up': (s, fail) => {
        const entry = state + s[ENTRY]!;
        if (s[entry] === tag(c, READY) || variant === 'withdrawn without compare') {
          free(s, s[ENTRY]!);
          return finished(s, [0], 'withdrawn', fail);
        }
        if (s[entry] === tag(c, SERVING)) {
          s[entry] = tag(c, ABANDONED);
          return finished(s, [0, 1], 'abandoned', fail);
        }
        return 'wait';
      },
      ...(dies && c === 0
        ? {
            die: (s: State) => {
              s[dead] = 1;
              return 'end';
            },
          }
        : {}),
    };
    return { name: `caller ${c}`, code };
  };

  const owner = (): Process => {
    const a = place(3);
    const [BELL, ENTRY, TAG] = [a, a + 1, a + 2] as const;
    const code: Record<string, Step> = {
      bell: (s) => {
        s[BELL] = s[DOORBELL]!;
        s[ENTRY] = 0;
        return variant === 'doorbell not looked at again' ? 'look first' : 'look';
      },
      'look first': (s) => {
        // Looks at the entries, then reads the doorbell: a ring in between is missed.
        for (let e = 0; e < entries; e++)
          if (s[state + e]! % 8 === READY) {
            s[ENTRY] = e;
            return 'take';
          }
        return 'bell too late';
      },
      'bell too late': (s) => {
        s[BELL] = s[DOORBELL]!;
        return 'sleep';
      },
      look: (s) => {
        if (s[state + s[ENTRY]!]! % 8 === READY) return 'take';
        s[ENTRY]!++;
        return s[ENTRY]! < entries ? 'look' : 'sleep';
      },
      take: (s) => {
        const now = s[state + s[ENTRY]!]!;
        if (now % 8 !== READY) return 'bell';
        s[TAG] = now - READY;
        s[state + s[ENTRY]!] = now - READY + SERVING;
        return 'perform';
      },
      perform: (s, fail) => {
        const c = s[TAG]! / 8 - 1;
        const request = performed[c]! + s[round + c]!;
        // After the caller gave up, this is still its last request.
        const now = s[state + s[ENTRY]!]!;
        const at = now === s[TAG]! + ABANDONED ? request - 1 : request;
        s[at]!++;
        if (s[at]! > 1) fail(`a request of caller ${c} is performed twice`);
        return 'answer';
      },
      answer: (s) => {
        const entry = state + s[ENTRY]!;
        const tagged = s[TAG]!;
        s[TAG] = 0;
        if (s[entry] === tagged + SERVING) s[entry] = tagged + ANSWERED;
        else free(s, s[ENTRY]!);
        return 'bell';
      },
      // The exit event of a worker comes between requests: one thread.
      sleep: (s) => {
        s[SLEEPING] = 1;
        return 'sleeping';
      },
      sleeping: (s) => {
        if (dies && s[dead] === 1) return 'reap';
        if (s[DOORBELL] === s[BELL] && s[SLEEPING] !== 2) return BLOCKED;
        s[SLEEPING] = 0;
        s[BELL] = s[ENTRY] = 0;
        return 'bell';
      },
      reap: (s) => {
        s[dead] = 2;
        s[SLEEPING] = 0;
        for (let e = 0; e < entries; e++)
          if (Math.floor(s[state + e]! / 8) === 1 && variant !== 'entry of the dead kept') free(s, e);
        s[BELL] = s[ENTRY] = 0;
        return 'bell';
      },
    };
    return { name: 'owner', code, daemon: true };
  };

  const processes = [...callers.map((count, c) => caller(c, count)), owner()];
  const last: Process = {
    name: 'end',
    daemon: true,
    code: {
      check: (s, fail) => {
        for (const [c, count] of callers.entries()) if (!(dies && c === 0) && s[round + c]! < count) return BLOCKED;
        if (dies && s[dead] !== 2) return BLOCKED;
        for (let e = 0; e < entries; e++)
          if (s[state + e]! % 8 !== 0 && s[state + e]! % 8 !== SERVING && s[state + e]! % 8 !== ABANDONED)
            fail(`entry ${e} is lost`);
        return 'end';
      },
    },
  };
  processes.push(last);
  const initial = new Array<number>(size).fill(0);
  const parts = [...(impatient ? ['impatient'] : []), ...(dies ? ['one dies'] : [])];
  const name = `request ring, callers [${callers.join(', ')}], ${entries} entries${parts.length > 0 ? `, ${parts.join(', ')}` : ''}`;
  return { name, initial, processes };
}
