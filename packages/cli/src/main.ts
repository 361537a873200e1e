/** The program `guestmem`: arguments in, exit code out. Each command has its own file; all behaviour is in the packages. */
import { argv } from 'node:process';
import { main } from './program.ts';

await main(argv.slice(2));
