/** Runs rows in processes of their own, and counts how often something else slowed them (quiet.ts). */
import type { Engine } from '../engines.ts';
import type { NativePeer } from '../native-peer.ts';
import type { Measured } from './measure.ts';
import { calmest, isCalm, type Sample } from './quiet.ts';
import type { Row } from './row.ts';
import { type Effort, runRow } from './run-row.ts';
import { median } from './statistics.ts';

/** How busy the machine was. */
export interface Disturbance {
  readonly samples: number;
  /** Samples that were slowed, and left out where calm ones came. */
  readonly disturbed: number;
  /** Figures of one process each. */
  readonly figures: number;
  /** Figures with a disturbed sample in them: too few calm ones came, and the calmest were taken. */
  readonly standing: number;
}

/** One engine, and the native program beside it. */
export class Runner {
  readonly #engine: Engine;
  readonly #native: NativePeer;
  readonly #effort: Effort;
  readonly #dist: string;
  /** The least that the known loop took, by row: beside other code the engine compiles it in another way, 12 % quicker at times. */
  readonly #quiet = new Map<string, number>();
  readonly #counts = { samples: 0, disturbed: 0, figures: 0, standing: 0 };

  constructor(engine: Engine, native: NativePeer, effort: Effort, dist: string) {
    this.#engine = engine;
    this.#native = native;
    this.#effort = effort;
    this.#dist = dist;
  }

  get disturbance(): Disturbance {
    return { ...this.#counts };
  }

  /** Sum, residue and heap growth; takes no samples. */
  check(row: Row): Measured | { readonly failed: string } {
    return this.#run(row, 'check', { samples: 0, milliseconds: 1 });
  }

  /** @returns CPU nanoseconds per access: the median of the calmest samples of one process. */
  time(row: Row): number | { readonly failed: string } {
    const measured = this.#run(row, 'time', this.#effort);
    if ('failed' in measured) return measured;
    const quiet = this.#quietOf(row);
    const calm = (sample: Sample) => isCalm(sample, quiet);
    const best = calmest(measured.samples, this.#effort.samples);
    this.#counts.samples += measured.samples.length;
    this.#counts.disturbed += measured.samples.filter((sample) => !calm(sample)).length;
    this.#counts.figures++;
    if (!best.every(calm)) this.#counts.standing++;
    return median(best.map((sample) => sample.ns));
  }

  #run(row: Row, mode: 'check' | 'time', effort: Effort): Measured | { readonly failed: string } {
    const quiet = this.#quietOf(row);
    const measured = runRow(row, mode, this.#engine, this.#native, effort, this.#dist, quiet);
    if (!('failed' in measured)) this.#quiet.set(row.id, Math.min(quiet, measured.quiet));
    return measured;
  }

  #quietOf(row: Row): number {
    return this.#quiet.get(row.id) ?? Number.POSITIVE_INFINITY;
  }
}
