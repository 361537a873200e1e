/** `guestmem run [MTREE-FILE] [--ram SIZE]`: rebuilds the memory of a machine, compares it with QEMU's, and works on it. */
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { reportUserError, UserError } from './files.ts';
import { placeHpet, withProbe } from './run/devices.ts';
import { findLandmarks, systemMemory } from './run/landmarks.ts';
import { type Machine, openMachine } from './run/machine.ts';
import { comparisonText, tourTable } from './run/report.ts';
import { holds, type Step } from './run/step.ts';
import { missing, tourAttributes, tourEndOfRam, tourHole, tourHpet, tourRam, tourRom, tourWrap } from './run/tour.ts';
import { Visitor } from './run/visitor.ts';

/** The command for `createProgram`. */
export function runCommand(): Command {
  return new Command('run')
    .description("rebuild a machine's memory from the text of QEMU's `info mtree`, compare it, and access it")
    .argument('[mtree-file]', 'what `info mtree` printed, `-` for standard input (default: a q35 PC that comes along)')
    .option('--ram <size>', 'give the machine this much RAM, for example 64M (K, M, G)', parseSize)
    .addHelpText(
      'after',
      '\nExit code: 0 if everything is as QEMU has it, 1 if not, 2 if the input cannot be used.\nThe captures NAME.disabled, NAME.flat and NAME.json are used where they lie beside NAME.mtree.',
    )
    .action((file: string | undefined, options: { ram?: number }) => {
      try {
        process.exitCode = run(file ?? DEFAULT_CAPTURE, options.ram) ? 0 : 1;
      } catch (error) {
        reportUserError(error);
      }
    });
}

const DEFAULT_CAPTURE = fileURLToPath(new URL('../captures/x86_64-q35.mtree', import.meta.url));

/** Does the whole job. @returns is everything as QEMU has it? */
function run(path: string, ramSize: number | undefined): boolean {
  const machine = openMachine(path, ramSize);
  console.log(comparisonText(machine));
  const steps = tour(machine);
  const good = steps.filter(holds).length;
  console.log(`accesses: ${good} of ${steps.length} as in QEMU`);
  const { comparison } = machine;
  const sameMap = comparison === undefined || comparison.equalSpaces === comparison.spaces;
  return sameMap && good === steps.length;
}

/** Visits every place that the machine has, and prints the table. */
function tour({ core }: Machine): Step[] {
  const space = systemMemory(core);
  if (space === undefined) throw new UserError('this machine has no address space that could be accessed');
  const visitor = new Visitor(space);
  const places = findLandmarks(space);
  const hpet = placeHpet(core, space);
  if (places.ram !== undefined) tourRam(visitor, places.ram);
  if (places.ramEnd !== undefined) tourEndOfRam(visitor, places.ramEnd);
  if (places.rom !== undefined) tourRom(visitor, places.rom);
  if (places.hole !== undefined) tourHole(visitor, places.hole);
  if (hpet !== undefined) tourHpet(visitor, hpet.base, (ns) => hpet.clock.advanceBy(ns));
  if (places.hole !== undefined) {
    const at = ((places.hole.first + 0xfffn) >> 12n) << 12n;
    withProbe(core, space, at, () => tourAttributes(visitor, at));
  }
  if (places.wraps) tourWrap(visitor);
  console.log(tourTable(visitor.steps));
  const absent = [...missing(places), ...(hpet === undefined ? ['an HPET'] : [])];
  if (absent.length > 0) console.log(`not on this machine: ${absent.join(', ')}`);
  return visitor.steps;
}

/** `64M`, `0x4000000`, `1G`: bytes. */
function parseSize(text: string): number {
  const match = /^(0x[0-9a-f]+|\d+)([kmg]?)(?:i?b)?$/i.exec(text);
  const bytes =
    match === null ? Number.NaN : Number(match[1]) * 1024 ** ' kmg'.indexOf((match[2] || ' ').toLowerCase());
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new InvalidArgumentError('a size is a number with K, M or G, for example 64M.');
  return bytes;
}
