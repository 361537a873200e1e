/**
 * A small explicit-state model checker. A model is a handful of processes that share an array of small numbers; the
 * explorer runs every interleaving of their steps and visits every state once. It reports:
 * - the first state in which a step says that something is wrong (safety), with the steps that lead there;
 * - a state in which nobody can step although somebody is not at its end (deadlock, a lost wake-up among them);
 * - a cycle that a fair scheduler can stay in for ever without a process of `mustFinish` getting to its end (livelock).
 */

/** All variables, program counters included. */
export type State = number[];

/** One atomic step at a label: changes the state, says where the process goes on. */
export type Step = (s: State, fail: (what: string) => void) => string | readonly string[] | typeof BLOCKED;

/** The step cannot be taken now. Whatever it changed before saying so is forgotten. */
export const BLOCKED = null;

/** One sequential process. It starts at the first label and has finished at `end`. */
export interface Process {
  readonly name: string;
  readonly code: Readonly<Record<string, Step>>;
  /** May stay unfinished when all others have: a server, a daemon. */
  readonly daemon?: boolean;
}

export interface Model {
  readonly name: string;
  /** Variables without the program counters. */
  readonly initial: readonly number[];
  readonly processes: readonly Process[];
  /** These processes must get to their ends under every fair schedule. */
  readonly mustFinish?: readonly string[];
}

export interface Outcome {
  readonly states: number;
  readonly steps: number;
  /** What is wrong; null: nothing. */
  readonly violation: string | null;
  /** The steps that lead to it. */
  readonly trace: readonly string[];
}

/** Visits every reachable state of `model`, breadth first. @throws when there are more than `most`. */
export function explore(model: Model, most = 6_000_000): Outcome {
  const { processes } = model;
  const labels = processes.map(({ code }) => [...Object.keys(code), 'end']);
  const numbers = labels.map((names) => new Map(names.map((name, i) => [name, i])));
  const base = model.initial.length;
  const states: State[] = [[...model.initial, ...processes.map(() => 0)]];
  const index = new Map<string, number>([[key(states[0]!), 0]]);
  const parents: number[] = [-1];
  const movers: number[] = [-1];
  const edges: Edges = { from: [], to: [], by: [] };
  const enabled: number[] = []; // Bit p: process p can step there.
  let steps = 0;
  let violation: string | null = null;

  const trace = (at: number): string[] => {
    const path: string[] = [];
    for (let i = at; parents[i]! >= 0; i = parents[i]!) {
      const p = movers[i]!;
      path.push(`${processes[p]!.name}: ${labels[p]![states[parents[i]!]![base + p]!]}`);
    }
    return path.reverse();
  };

  for (let at = 0; at < states.length; at++) {
    const state = states[at]!;
    let can = 0;
    let unfinished = false;
    for (let p = 0; p < processes.length; p++) {
      const label = labels[p]![state[base + p]!]!;
      if (label === 'end') continue;
      if (processes[p]!.daemon !== true) unfinished = true;
      const next = state.slice();
      const where = processes[p]!.code[label]!(next, (what) => {
        violation ??= what;
      });
      if (where === BLOCKED) continue;
      can |= 1 << p;
      for (const to of typeof where === 'string' ? [where] : where) {
        steps++;
        const successor = typeof where === 'string' ? next : next.slice();
        const pc = numbers[p]!.get(to);
        if (pc === undefined) throw new Error(`${model.name}: ${processes[p]!.name} has no label ${to}`);
        successor[base + p] = pc;
        const id = key(successor);
        let known = index.get(id);
        if (known === undefined) {
          known = states.length;
          if (known >= most) throw new Error(`${model.name}: more than ${most} states`);
          index.set(id, known);
          states.push(successor);
          parents.push(at);
          movers.push(p);
        }
        edges.from.push(at);
        edges.to.push(known);
        edges.by.push(p);
        if (violation !== null) return { states: states.length, steps, violation, trace: trace(known) };
      }
    }
    enabled.push(can);
    if (can === 0 && unfinished)
      return { states: states.length, steps, violation: 'deadlock: nobody can step', trace: trace(at) };
  }
  for (const name of model.mustFinish ?? []) {
    const p = processes.findIndex((process) => process.name === name);
    const stuck = fairCycle(states, edges, enabled, processes.length, base + p, numbers[p]!.get('end')!);
    if (stuck >= 0)
      return { states: states.length, steps, violation: `livelock: ${name} may never finish`, trace: trace(stuck) };
  }
  return { states: states.length, steps, violation: null, trace: [] };
}

interface Edges {
  readonly from: number[];
  readonly to: number[];
  readonly by: number[];
}

/**
 * A state on a cycle in which the process whose counter is `pc` has not finished, and in which every process steps or is
 * unable to somewhere (weak fairness); -1 if there is none. Strongly connected components by Tarjan, without recursion.
 */
function fairCycle(
  states: readonly State[],
  edges: Edges,
  enabled: readonly number[],
  processes: number,
  pc: number,
  end: number,
): number {
  const open = (i: number): boolean => states[i]![pc] !== end;
  const start = new Int32Array(states.length + 1);
  for (const from of edges.from) start[from + 1]!++;
  for (let i = 0; i < states.length; i++) start[i + 1]! += start[i]!;

  const component = components(states.length, start, edges.to, open);
  const steppers = new Map<number, number>();
  for (let e = 0; e < edges.from.length; e++) {
    const c = component[edges.from[e]!]!;
    if (c < 0 || component[edges.to[e]!] !== c) continue;
    steppers.set(c, (steppers.get(c) ?? 0) | (1 << edges.by[e]!));
  }
  const idle = new Map<number, number>();
  const all = (1 << processes) - 1;
  for (let i = 0; i < states.length; i++) {
    const c = component[i]!;
    if (c >= 0) idle.set(c, (idle.get(c) ?? 0) | (~enabled[i]! & all));
  }
  for (let i = 0; i < states.length; i++) {
    const c = component[i]!;
    const moves = c < 0 ? undefined : steppers.get(c);
    if (moves !== undefined && (moves | idle.get(c)!) === all) return i;
  }
  return -1;
}

function components(count: number, start: Int32Array, to: readonly number[], open: (i: number) => boolean): Int32Array {
  const component = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const number = new Int32Array(count).fill(-1);
  const onStack = new Uint8Array(count);
  const next = start.slice(0, count);
  const stack: number[] = [];
  let counter = 0;
  for (let root = 0; root < count; root++) {
    if (number[root]! >= 0 || !open(root)) continue;
    const work = [root];
    while (work.length > 0) {
      const v = work.at(-1)!;
      if (number[v]! < 0) {
        number[v] = counter;
        low[v] = counter++;
        stack.push(v);
        onStack[v] = 1;
      }
      if (next[v]! < start[v + 1]!) {
        const w = to[next[v]!++]!;
        if (!open(w)) continue;
        if (number[w]! < 0) work.push(w);
        else if (onStack[w] === 1) low[v] = Math.min(low[v]!, number[w]!);
        continue;
      }
      work.pop();
      const above = work.at(-1);
      if (above !== undefined) low[above] = Math.min(low[above]!, low[v]!);
      if (low[v] !== number[v]) continue;
      for (let w = -1; w !== v; ) {
        w = stack.pop()!;
        onStack[w] = 0;
        component[w] = v;
      }
    }
  }
  return component;
}

function key(state: State): string {
  return String.fromCharCode(...state);
}
