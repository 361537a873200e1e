/**
 * Differential fuzzing: random scripts on a real QEMU and on ours. The first difference is shrunk to a minimal script, which is
 * printed as a .qtest file.
 *
 *   QEMU_MODULE_DIR=mods node -C dist dist/fuzz.js [--seed N] [--commands N] [--length N] [--subject hpet|edu|ram|mixed]
 *
 * Needs qemu-system-x86_64 7.2 with its qtest accelerator.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { parseArgs } from 'node:util';
import { findMachine } from '@guestmem/cli';
import { Machine, machineConfig, parseQemuArguments, type ReplayDifference, replayTranscript } from '@guestmem/devices';
import { generate, type Line, type Script, SUBJECTS, type Subject } from './generate.ts';
import { runReal } from './real-qemu.ts';

const PROGRAM = 'qemu-system-x86_64';

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    seed: { type: 'string', default: '1' },
    commands: { type: 'string', default: '50000' },
    length: { type: 'string', default: '1000' },
    subject: { type: 'string' },
  },
});
const firmware = Uint8Array.from({ length: 0x1_0000 }, (_, i) => 7 * i + 13 * (i >> 8) + 3);
const folder = mkdtempSync(join(tmpdir(), 'qtest-fuzz-'));
writeFileSync(join(folder, 'rom64k.bin'), firmware);
process.on('exit', () => rmSync(folder, { recursive: true }));
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  const subjects: readonly Subject[] = values.subject === undefined ? SUBJECTS : [values.subject as Subject];
  const totals = { scripts: 0, commands: 0, interrupts: 0, hung: 0, ended: 0 };
  for (let seed = Number(values.seed); totals.commands < Number(values.commands); seed++) {
    const subject = subjects[seed % subjects.length]!;
    const script = generate(seed, subject, Number(values.length));
    const run = await runReal(PROGRAM, script, folder);
    const result = compare(script, run.transcript);
    totals.scripts++;
    totals.commands += result.commands;
    totals.interrupts += result.interrupts;
    if (run.hung) totals.hung++;
    if (run.transcript.steps.at(-1)?.reply === 'EOF') totals.ended++;
    if (result.differences.length === 0) continue;
    console.log(`seed ${seed} (${subject}): ${describe(result.differences[0]!)}`);
    await shrink(script, result.differences[0]!);
    return false;
  }
  console.log(
    `${totals.scripts} scripts, ${totals.commands} commands, ${totals.interrupts} interrupt lines: equal` +
      (totals.ended > 0 ? ` (${totals.ended} scripts at which QEMU ended itself)` : '') +
      (totals.hung > 0 ? ` (${totals.hung} scripts cut where QEMU was busy for 3 s, H-141)` : ''),
  );
  return true;
}

function compare(
  script: Script,
  transcript: Parameters<typeof replayTranscript>[0],
): ReturnType<typeof replayTranscript> {
  const args = parseQemuArguments(script.args);
  const definition = findMachine(args.machine, PROGRAM);
  const machine = new Machine(definition, machineConfig(definition, args), firmware);
  return replayTranscript({ ...transcript, trailing: [] }, machine, { compareTrailing: false });
}

/** Drops parts of the script as long as it still differs, until no single line can go. */
async function shrink(script: Script, first: ReplayDifference): Promise<void> {
  let lines: readonly Line[] = script.lines.slice(0, first.line);
  let last = first;
  for (let chunk = lines.length >> 1; chunk >= 1; ) {
    let dropped = false;
    for (let at = 0; at < lines.length; ) {
      const tried = [...lines.slice(0, at), ...lines.slice(at + chunk)];
      const found = await differs({ ...script, lines: tried });
      if (found === null) at += chunk;
      else {
        lines = tried.slice(0, found.line);
        last = found;
        dropped = true;
      }
    }
    if (chunk > 1) chunk >>= 1;
    else if (!dropped) break;
  }
  console.log(`#: binary ${PROGRAM}\n#: args ${script.args.join(' ')}`);
  for (const line of lines) console.log(line.startsWith('sleep') ? `#~ ${line}` : line);
  console.log(describe(last));
}

async function differs(script: Script): Promise<ReplayDifference | null> {
  const { transcript } = await runReal(PROGRAM, script, folder);
  // Without the lines before it a transfer may be one that ends QEMU (E-45): another matter.
  if (transcript.steps.at(-1)?.reply === 'EOF') return null;
  return compare(script, transcript).differences[0] ?? null;
}

function describe({ line, command, expected, actual }: ReplayDifference): string {
  return `line ${line}: ${command}\n  QEMU     ${expected || '(nothing)'}\n  guestmem ${actual || '(nothing)'}`;
}
