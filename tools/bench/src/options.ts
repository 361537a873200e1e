/** The arguments of `npm run bench`. */
import { parseArgs } from 'node:util';

export interface Options {
  /** Rounds of fresh processes; 9 or more give figures that may be published. */
  readonly rounds: number;
  readonly samples: number;
  readonly milliseconds: number;
  /** Only rows whose id matches, and the rows that they are held against. */
  readonly rows: RegExp | null;
  readonly engines: readonly string[];
  readonly variants: boolean;
  /** Where results go; null: nowhere. */
  readonly write: boolean;
}

export const USAGE = `usage: npm run bench -- [options]
  --quick             about two minutes: this engine only, 3 rounds, nothing written
  --rows PATTERN      only rows whose id matches this regular expression, and what they are held against
  --rounds N          fresh processes per row (default 9)
  --engine NAME       20, newest or the path of a node; may be given again (default: 20 and newest)
  --variants          the designs that were tried, too
  --no-write          print only: leave results/ and docs/bench.svg alone
`;

/** @throws {TypeError} an option that does not exist, or a bad value. */
export function options(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      engine: { type: 'string', multiple: true },
      variants: { type: 'boolean', default: false },
      write: { type: 'boolean', default: true },
    },
    allowNegative: true,
  });
  const quick = values.quick;
  const rounds = Number(values.rounds ?? (quick ? 3 : 9));
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError(`--rounds must be 1 or more, not ${values.rounds}`);
  return {
    rounds,
    samples: quick ? 3 : 5,
    milliseconds: 8,
    rows: values.rows === undefined ? null : new RegExp(values.rows),
    engines: values.engine ?? (quick ? [process.version.slice(1).split('.')[0]!] : ['20', 'newest']),
    variants: values.variants,
    write: values.write && !quick && values.rows === undefined,
  };
}
