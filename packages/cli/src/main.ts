/** The program `guestmem`: arguments in, exit code out. Each command has its own file; all behaviour is in the packages. */
import process from 'node:process';
import { guardOutput } from './output.ts';
import { main } from './program.ts';

guardOutput(process);
await main(process.argv.slice(2));
