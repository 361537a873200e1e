/** `guestmem qtest ARGS`: a machine that speaks QEMU's test protocol, started with QEMU's own arguments.. */

import { MachineError, parseQemuArguments } from '@guestmem/devices';
import { Command } from 'commander';
import { reportUserError, UserError } from './files.ts';
import { makeMachine } from './qtest/machines.ts';
import { replayFiles } from './qtest/replay-files.ts';
import { serve } from './qtest/serve.ts';

/** The command for `createProgram`. */
export function qtestCommand(): Command {
  return new Command('qtest')
    .description("serve a machine over QEMU's test protocol, or replay a recorded conversation and compare")
    .argument('[arguments...]', "QEMU's: -M, -m, -bios, -global, -device edu, -qtest, -qtest-log, -chardev, -mon, ...")
    .option('--program <name>', 'whose machine it is, where several have one of that name: qemu-system-m68k')
    .option('--replay <file...>', 'replay these .transcript files on machines made from their headers')
    .helpOption('--help', 'display help for command')
    .allowUnknownOption()
    .addHelpText('after', HELP)
    .action((args: string[], options: { program?: string; replay?: string[] }) => run(args, options));
}

async function run(args: readonly string[], options: { program?: string; replay?: string[] }): Promise<void> {
  try {
    if (options.replay !== undefined) {
      if (args.length > 0) throw new UserError(`--replay takes nothing but files, not ${args.join(' ')}`);
      process.exitCode = replayFiles(options.replay, (line) => console.log(line)) ? 0 : 1;
      return;
    }
    const parsed = parseQemuArguments(args);
    await serve(makeMachine(parsed, options.program, '.'), parsed);
  } catch (error) {
    reportUserError(error instanceof MachineError ? new UserError(error.message, { cause: error }) : error);
  }
}

const HELP = `
Without -qtest the channel is standard input and output. What is not modelled is refused.

  guestmem qtest -M q35,pit=off -m 256 -device edu,addr=4 -qtest-log none
  guestmem qtest -M q35 -qtest unix:/tmp/q.sock,server=on,wait=off
  guestmem qtest --replay recordings/*.transcript

It ends when standard input does and all is answered, when nobody reads its replies any more, or when the other end closes
the socket that it connected, unless a monitor is left; behind a listening socket it lives until it is told to end.

Exit code: 0 then and at SIGTERM, SIGINT, SIGHUP or the monitor's quit, and for a replay that is equal; 1 for one that is
not; 2 if the arguments or files cannot be used, or output cannot be written.`;
