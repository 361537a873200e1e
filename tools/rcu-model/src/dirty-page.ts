/**
 * One page whose writes are logged (dirty/dirty-pages.ts, worker/window.ts): a worker stores and marks, unless the page looks marked,
 * while the owner clears the mark and copies the bytes. What a processor may hold back is modelled: a store, and the store half of an
 * atomic operation, are seen by others some time after the agent has gone on. Proves that bytes which are not in the last
 * copy are marked in the end (A-187, A-196).
 */
import { BLOCKED, type Model, type Process, type Step } from './explorer.ts';

export type DirtyVariant =
  | 'right'
  | 'mark before the store'
  | 'look before the store is seen'
  | 'copy before the clearing'
  | 'copy before the clearing is seen';

export interface DirtyOptions {
  /** Stores of each worker. */
  readonly workers: readonly number[];
  /** Times that the owner clears and copies. */
  readonly copies: number;
  readonly variant?: DirtyVariant;
}

const MARK = 0;
/** The owner's clearing: 1 not seen by others yet. */
const CLEARING = 1;
const ROUNDS = 2;
const FINISHED = 3;

export function dirtyPage({ workers, copies, variant = 'right' }: DirtyOptions): Model {
  let size = 4;
  const place = (words: number): number => {
    size += words;
    return size - words;
  };
  const bytes = place(workers.length); // As others see them: each worker has a byte of its own in the page.
  const copied = place(workers.length);

  const worker = (w: number, stores: number): Process[] => {
    const a = place(2);
    const [COUNT, HELD] = [a, a + 1] as const; // HELD: stored, but not seen by others yet; 0 nothing.
    const next = (stored: number): string => (stored < stores ? begin : 'finish');
    const begin = variant === 'mark before the store' ? 'look' : 'store';
    const after = variant === 'mark before the store' ? 'store' : 'next';
    const all: Record<string, Step> = {
      store: (s) => {
        if (s[HELD] !== 0) return BLOCKED;
        s[COUNT]!++;
        s[HELD] = s[COUNT]!;
        if (variant === 'mark before the store') return 'next';
        return variant === 'look before the store is seen' ? 'look' : 'fence';
      },
      fence: (s) => (s[HELD] === 0 ? 'look' : BLOCKED),
      look: (s) => (s[MARK] === 1 ? after : 'mark'),
      mark: (s) => {
        if (s[HELD] !== 0) return BLOCKED; // Atomic: what was stored before it is seen first.
        s[MARK] = 1;
        return after;
      },
      next: (s) => next(s[COUNT]!),
      finish: (s) => {
        if (s[HELD] !== 0) return BLOCKED;
        s[FINISHED]!++;
        return 'end';
      },
    };
    const { [begin]: first, ...rest } = all;
    const memory: Process = {
      name: `memory of worker ${w}`,
      daemon: true,
      code: {
        wait: (s) => {
          if (s[HELD] === 0) return BLOCKED;
          s[bytes + w] = s[HELD]!;
          s[HELD] = 0;
          return 'wait';
        },
      },
    };
    return [{ name: `worker ${w}`, code: { [begin]: first!, ...rest } }, memory];
  };

  const copy: Step = (s) => {
    for (let w = 0; w < workers.length; w++) s[copied + w] = s[bytes + w]!;
    return variant === 'copy before the clearing' ? 'clear' : 'next';
  };
  const owner: Process = {
    name: 'owner',
    code: {
      look: (s) => (s[MARK] === 0 ? 'next' : variant === 'copy before the clearing' ? 'copy' : 'clear'),
      clear: (s) => {
        s[CLEARING] = 1;
        if (variant === 'copy before the clearing') return 'next';
        return variant === 'copy before the clearing is seen' ? 'copy' : 'order';
      },
      order: (s) => (s[CLEARING] === 0 ? 'copy' : BLOCKED),
      copy,
      next: (s) => {
        if (s[CLEARING] !== 0) return BLOCKED;
        s[ROUNDS]!++;
        return s[ROUNDS]! < copies ? 'look' : 'finish';
      },
      finish: (s) => {
        s[FINISHED]!++;
        return 'end';
      },
    },
  };
  const memory: Process = {
    name: 'memory of the owner',
    daemon: true,
    code: {
      wait: (s) => {
        if (s[CLEARING] === 0) return BLOCKED;
        s[CLEARING] = 0;
        s[MARK] = 0;
        return 'wait';
      },
    },
  };
  const judge: Process = {
    name: 'judge',
    code: {
      judge: (s, fail) => {
        if (s[FINISHED]! <= workers.length) return BLOCKED;
        for (let w = 0; w < workers.length; w++)
          if (s[MARK] === 0 && s[copied + w] !== s[bytes + w])
            fail(`the last store of worker ${w} is neither copied nor marked`);
        return 'end';
      },
    },
  };
  const processes = [...workers.flatMap((stores, w) => worker(w, stores)), owner, memory, judge];
  return {
    name: `dirty page, workers [${workers.join(', ')}], ${copies} copies${variant === 'right' ? '' : `, ${variant}`}`,
    initial: [1, ...new Array<number>(size - 1).fill(0)],
    processes,
  };
}
