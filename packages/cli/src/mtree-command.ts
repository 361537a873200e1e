/** The command `guestmem mtree`: looks at the text that QEMU's `info mtree` prints, and at maps as data. */
import { Command, Option } from 'commander';
import { reportUserError, UserError } from './files.ts';
import { diffFiles } from './mtree/diff.ts';
import { type MtreeOptions, showMtree } from './mtree/show.ts';

/** A new `mtree` command. Exit codes: 0 done; 1 a difference was found; 2 bad arguments or input. */
export function mtreeCommand(): Command {
  return new Command('mtree')
    .description("show, search and compare the memory map in QEMU's `info mtree` text")
    .argument('[file]', 'output of `info mtree` (best with -D), or a map as JSON; - is standard input', '-')
    .option('--flat', 'print the flat view of every address space, as `info mtree -f` (default)')
    .option('--tree', 'print the tree, as `info mtree`')
    .option('--dispatch', 'print the flat views with their dispatch maps, as `info mtree -f -d`')
    .option('--json', 'print the map, or what --find found, as JSON')
    .option('--find <address>', 'tell what answers at an address (0x... or decimal) and why')
    .option('--space <name>', 'with --find: only in address spaces of this name')
    .option('-D, --disabled', 'with --tree: print disabled regions too')
    .option('-o, --owners', 'with --tree, --flat or --dispatch: print owners')
    .addOption(new Option('--page-size <bytes>', "with --dispatch: the target's page size (default 4096)"))
    .option(
      '--with-flat <file>',
      'output of `info mtree -f` of the same moment: infer from it what the tree does not tell',
    )
    .option('--facts <file>', 'JSON with what the tree does not tell, by line numbers')
    .addHelpText('after', NOTE)
    .action((file: string, options: MtreeOptions) => guarded(() => showMtree(file, options)))
    .addCommand(
      new Command('diff')
        .description('compare what two maps show, address space by address space; exit code 1 if they differ')
        .argument('<before>', 'a tree dump, a flat dump, or a map as JSON')
        .argument('<after>', 'the same, of another moment or machine')
        .option('--json', 'print the differences as JSON')
        // `mtree` has a --json too, and its options are taken wherever they stand.
        .action((before: string, after: string, _options: unknown, command: Command) =>
          guarded(() => {
            const { json = false, ...others } = command.optsWithGlobals<MtreeOptions>();
            const [other] = Object.keys(others);
            if (other !== undefined) throw new UserError(`diff takes --json only, not --${kebab(other)}`);
            return diffFiles(before, after, json);
          }),
        ),
    );
}

const NOTE = `
A tree dump does not tell which i/o regions answer for themselves, which aliases make what they show read-only, and
which of two equal siblings lies on top. Without --with-flat, --facts or a capture's NAME.json beside the file these are
guessed: an i/o region with children is a container, one without answers, and of equal siblings the smaller lies on top.
Where NAME.disabled lies beside NAME.mtree it is read instead, as it tells more; standard error says so.`;

/** An option as it is written: `withFlat` is `--with-flat`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function guarded(act: () => number): void {
  try {
    const code = act();
    if (code !== 0) process.exitCode = code;
  } catch (error) {
    reportUserError(error);
  }
}
