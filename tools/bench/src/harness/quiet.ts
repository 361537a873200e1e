/**
 * Tells whether something else slowed this processor while a sample was taken: a loop of known work, timed before and after
 * it. On a shared machine another program on the same core makes everything there 1.3 to 2 times slower for tenths of a second,
 * which CPU time does not show. native/src/quiet.rs is the same loop for the native program.
 */

/** One sample and what was seen around it. */
export interface Sample {
  /** CPU nanoseconds per access. */
  readonly ns: number;
  /** Nanoseconds per round of the known loop, the larger of before and after. */
  readonly around: number;
}

/** A sample is calm while the known loop takes at most this many times its best. Undisturbed it moves by 3 %. */
export const CALM = 1.08;

/** A process takes at most this many samples for each that is wanted calm; the calmest count. */
export const PATIENCE = 8;

/** About a millisecond. */
const ROUNDS = 700_000;
const words = new Uint32Array(2048);

function known(rounds: number): number {
  let x = 12345;
  let sum = 0;
  for (let i = 0; i < rounds; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    sum = (sum + words[x >>> 21]!) | 0;
  }
  return sum;
}

/** The known loop in this process. */
export class Surroundings {
  /** The least it took so far, here or wherever the caller learned it: nanoseconds per round. */
  quiet: number;

  /** @param quiet The least known; infinite for none. */
  constructor(quiet: number) {
    this.quiet = quiet;
    for (let i = 0; i < 500; i++) known(2000);
    for (let i = 0; i < 10; i++) this.look();
  }

  /** @returns nanoseconds per round, now. */
  look(): number {
    const start = performance.now();
    known(ROUNDS);
    const took = ((performance.now() - start) * 1e6) / ROUNDS;
    this.quiet = Math.min(this.quiet, took);
    return took;
  }

  /** Takes samples until `wanted` of them are calm, or patience ends. */
  samples(wanted: number, take: () => number): Sample[] {
    const taken: Sample[] = [];
    let before = this.look();
    while (taken.length < wanted * PATIENCE && taken.filter((sample) => isCalm(sample, this.quiet)).length < wanted) {
      const ns = take();
      const after = this.look();
      taken.push({ ns, around: Math.max(before, after) });
      before = after;
    }
    return taken;
  }
}

/** Whether nothing slowed a sample, by the least that the known loop ever took. */
export function isCalm({ around }: Sample, quiet: number): boolean {
  return around <= quiet * CALM;
}

/** The `wanted` calmest of `samples`, calmest first. */
export function calmest(samples: readonly Sample[], wanted: number): readonly Sample[] {
  return [...samples].sort((a, b) => a.around - b.around).slice(0, wanted);
}
