/**
 * Makes the timed loop of a row from its stream and its access. Generated source, so that every row has the same loop
 * with the access written out in it, as in a program, and none pays for a call of the harness.
 */
import type { Built, Row } from './row.ts';
import { stream } from './streams.ts';

/** Runs `count` accesses; gives the sum. */
export type Kernel = (count: number) => number | bigint;

/** The body of a function of n, in which the scope's names stand. */
function kernelSource(row: Row, built: Built): string {
  const { start, step } = stream(row.stream, row.size, row.base, row.shift);
  const body = {
    number: `sum = (sum + ${built.access}) | 0;`,
    float: `sum += ${built.access};`,
    bigint: `sum = BigInt.asUintN(64, sum + ${built.access});`,
    store: `${built.access}; sum = (sum + 1) | 0;`,
  }[built.kind];
  const zero = built.kind === 'bigint' ? '0n' : '0';
  return `${start} let sum = ${zero}; for (let i = 0; i < n; i++) { ${step} ${body} } return sum;`;
}

/** The loop as a function that closes over the scope's values as constants, as a module's code does over its own. */
export function kernel(row: Row, built: Built): Kernel {
  const names = Object.keys(built.scope).join(', ');
  const source = `const { ${names} } = scope; return function kernel(n) { ${kernelSource(row, built)} };`;
  return new Function('scope', source)(built.scope) as Kernel;
}

/** A sum as all peers print it: modulo 2^32, or 2^64 for bigint. */
export function canonicalSum(sum: number | bigint): string {
  return String(typeof sum === 'bigint' ? sum : BigInt.asUintN(32, BigInt(sum)));
}
