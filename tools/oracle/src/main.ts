/** Replays captures of a real QEMU against the packages: one line a file, `N of M files equal`, exit code 1 if not all. */
import { argv } from 'node:process';
import { run } from './run.ts';

process.exitCode = run(argv.slice(2), (line) => process.stdout.write(`${line}\n`));
