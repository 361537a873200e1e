/** The program `guestmem`: arguments in, exit code out. Each command has its own file; all behaviour is in the packages. */
import { argv, stdout } from 'node:process';
import { main } from './program.ts';

// A reader that has seen enough (`| head`) closes the pipe, which is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

await main(argv.slice(2));
