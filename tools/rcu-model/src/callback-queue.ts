/**
 * The callbacks of two agents (rcu/local-rcu.ts, rcu/callback-queue.ts) over the grace periods of one domain: batches,
 * tickets, drain. Grace periods begin and end when they like; a ghost counts them. Proves.
 */
import type { Model, Process, State, Step } from './explorer.ts';

export type QueueVariant =
  | 'right'
  | 'lost callback'
  | 'batch closed too late'
  | 'ticket of a running grace period'
  | 'last first';

export interface QueueOptions {
  /** Callbacks that each agent queues. */
  readonly callbacks: readonly number[];
  /** Grace periods that others ask for. */
  readonly others: number;
  readonly variant?: QueueVariant;
}

const SEQ = 0; // 4 x ended + phase, as in the domain.
const OTHERS = 1;

export function callbackQueue(options: QueueOptions): Model {
  const { callbacks, others } = options;
  const variant = options.variant ?? 'right';
  let size = 2;
  const processes: Process[] = callbacks.map((count, agent) => {
    // queued, ran, batch tail, ticket (0 none), and per callback: grace periods begun when it was queued + 1.
    const [QUEUED, RAN, TAIL, TICKET] = [size, size + 1, size + 2, size + 3] as const;
    const QUEUED_AT = size + 4;
    const TARGET = QUEUED_AT + count;
    size = TARGET + 1;
    const begun = (s: State): number => (s[SEQ]! >> 2) + ((s[SEQ]! & 3) === 0 ? 0 : 1);
    const run = (s: State, index: number, fail: (what: string) => void): void => {
      if (s[QUEUED_AT + index] === 0) fail(`agent ${agent}: callback ${index} ran twice or was never queued`);
      // A grace period that began after it was queued has ended: number (begun then) + 1 or later.
      if (s[SEQ]! >> 2 < s[QUEUED_AT + index]!)
        fail(`agent ${agent}: callback ${index} ran before its grace period ended`);
      if (index !== s[RAN]) fail(`agent ${agent}: callback ${index} ran out of order`);
      s[QUEUED_AT + index] = 0;
    };
    const code: Record<string, Step> = {
      choose: (s) => {
        const may: string[] = [];
        if (s[QUEUED]! < count) may.push('call');
        if (s[QUEUED]! > s[RAN]!) may.push('poll', 'drain');
        if (may.length === 0) return 'end';
        return may;
      },
      call: (s) => {
        s[QUEUED_AT + s[QUEUED]!] = begun(s) + 1;
        s[QUEUED]!++;
        return 'choose';
      },
      drain: (s) => {
        s[TARGET] = s[QUEUED]!;
        return 'poll';
      },
      poll: (s) => {
        if (s[TICKET] !== 0) return 'reached?';
        s[TAIL] = s[QUEUED]!;
        return 'request';
      },
      request: (s) => {
        const seq = s[SEQ]!;
        const running = variant === 'ticket of a running grace period' ? 4 : 8;
        s[TICKET] = (seq & 3) === 0 ? seq + 4 : (seq & ~3) + running;
        return 'reached?';
      },
      'reached?': (s) => {
        if (s[SEQ]! < s[TICKET]!) {
          // Steps what is running, or begins it: the domain does it under its lock, here at once.
          return 'step';
        }
        s[TICKET] = 0;
        if (variant === 'batch closed too late') s[TAIL] = s[QUEUED]!;
        return 'run';
      },
      step: (s) => {
        s[SEQ] = (s[SEQ]! & 3) === 2 ? s[SEQ]! + 2 : s[SEQ]! + 1;
        return s[TARGET]! > s[RAN]! ? 'reached?' : 'choose';
      },
      run: (s, fail) => {
        if (s[RAN]! >= s[TAIL]!) {
          if (variant === 'lost callback') {
            // Throws the whole list away, with what was queued meanwhile.
            s[RAN] = s[QUEUED]!;
          }
          return 'returned';
        }
        run(s, variant === 'last first' ? s[TAIL]! - 1 : s[RAN]!, fail);
        s[RAN]!++;
        // A callback may queue another one.
        return s[QUEUED]! < count ? ['run', 'call in callback'] : 'run';
      },
      'call in callback': (s) => {
        s[QUEUED_AT + s[QUEUED]!] = begun(s) + 1;
        s[QUEUED]!++;
        return 'run';
      },
      returned: (s, fail) => {
        if (s[TARGET]! > s[RAN]!) return 'poll';
        for (let i = 0; i < s[TARGET]!; i++)
          if (s[QUEUED_AT + i] !== 0) fail(`agent ${agent}: drain returned before callback ${i} ran`);
        s[TARGET] = 0;
        for (let i = 0; i < s[RAN]!; i++) if (s[QUEUED_AT + i] !== 0) fail(`agent ${agent}: callback ${i} was lost`);
        return 'choose';
      },
    };
    return { name: `agent ${agent}`, code };
  });
  processes.push({
    name: 'others',
    daemon: true,
    code: {
      step: (s) => {
        if ((s[SEQ]! & 3) === 0) {
          if (s[OTHERS]! >= others) return 'end';
          s[OTHERS]!++;
        }
        s[SEQ] = (s[SEQ]! & 3) === 2 ? s[SEQ]! + 2 : s[SEQ]! + 1;
        return 'step';
      },
    },
  });
  const initial = new Array<number>(size).fill(0);
  return {
    name: `callback queue, [${callbacks.join(', ')}] callbacks, ${others} other grace periods`,
    initial,
    processes,
  };
}
