/** The command line of `guestmem`, put together from the commands' own files. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';

/** A new parser with every command. `process.exitCode` is set by the command that runs. */
export function createProgram(): Command {
  const { version, description } = manifest();
  return new Command('guestmem').description(description).version(version).showHelpAfterError('(add --help for usage)');
}

function manifest(): { version: string; description: string } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
}
