/** The command line of `guestmem`, put together from the commands' own files. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { mtreeCommand } from './mtree-command.ts';
import { qtestCommand } from './qtest-command.ts';
import { runCommand } from './run-command.ts';

/** A new parser with every command. `process.exitCode` is set by the command that runs. */
export function createProgram(): Command {
  const { version, description } = manifest();
  return new Command('guestmem')
    .description(description)
    .version(version)
    .showHelpAfterError('(add --help for usage)')
    .addCommand(runCommand())
    .addCommand(mtreeCommand())
    .addCommand(qtestCommand());
}

/** Parses `args` (what follows the program's name) and runs a command. Sets `process.exitCode`: 2 for arguments that are no use. */
export async function main(args: readonly string[]): Promise<void> {
  const program = createProgram();
  for (const command of everyCommand(program)) command.exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function manifest(): { version: string; description: string } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
}
