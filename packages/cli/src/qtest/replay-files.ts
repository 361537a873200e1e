/**
 * Replays recorded conversations and compares. Commands that need a device outside the model stand in a list, line by line
 * with the reason; they are told apart, not left out.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type Machine,
  MachineError,
  parseQemuArguments,
  parseTranscript,
  type ReplayDifference,
  replayTranscript,
  type Transcript,
  TranscriptError,
} from '@guestmem/devices';
import { readText, UserError } from '../files.ts';
import { folderOf, makeMachine } from './machines.ts';

/** A command that is not compared: it needs a device that no machine here has. */
export interface ExceptedCommand {
  /** File name of the recording, without its folder and ending. */
  readonly transcript: string;
  /** Line of it, from 1. */
  readonly line: number;
  readonly command: string;
  readonly reason: string;
}

/** What came of one file. */
export interface FileReplay {
  readonly path: string;
  readonly commands: number;
  readonly interrupts: number;
  /** Commands at which the real program ended itself. */
  readonly fatal: number;
  /** Differences that the list does not excuse. */
  readonly differences: readonly ReplayDifference[];
  /** Entries of the list for this file. */
  readonly excepted: readonly ExceptedCommand[];
}

/** The list that comes along. */
export function exceptedCommands(): ExceptedCommand[] {
  return JSON.parse(readFileSync(new URL('../../captures/excepted-commands.json', import.meta.url), 'utf8'));
}

/** Replays one file on a fresh machine made from its header. @throws {UserError} unreadable, not a recording, no machine of ours. */
export function replayFile(path: string, list: readonly ExceptedCommand[] = exceptedCommands()): FileReplay {
  const transcript = parse(path);
  const machine = machineOf(path, transcript);
  const result = replayTranscript(transcript, machine);
  const name = basename(path).replace(/\.transcript$/, '');
  const excepted = list.filter((entry) => entry.transcript === name);
  const lines = new Map(excepted.map((entry) => [entry.line, entry.command]));
  const differences = result.differences.filter(({ line, command }) => lines.get(line) !== command);
  return { path, commands: result.commands, interrupts: result.interrupts, fatal: result.fatal, differences, excepted };
}

/** Replays all files and prints a line for each. @returns are they all equal, but for the list? */
export function replayFiles(paths: readonly string[], print: (line: string) => void): boolean {
  const total = { commands: 0, interrupts: 0, fatal: 0, differences: 0, excepted: 0 };
  for (const path of paths) {
    const { commands, interrupts, fatal, differences, excepted } = replayFile(path);
    total.commands += commands;
    total.interrupts += interrupts;
    total.fatal += fatal;
    total.differences += differences.length;
    total.excepted += excepted.length;
    const notes = [
      ...(fatal > 0 ? [`${fatal} where QEMU ends itself`] : []),
      ...(excepted.length > 0 ? [`${excepted.length} excepted`] : []),
    ];
    const verdict = differences.length === 0 ? 'equal' : `${differences.length} differences`;
    print(`${path}: ${[`${commands} commands`, `${interrupts} interrupt lines`, ...notes].join(', ')}: ${verdict}`);
    for (const { line, command, expected, actual } of differences.slice(0, 5))
      print(`  line ${line}: ${short(command)}\n    QEMU     ${short(expected)}\n    guestmem ${short(actual)}`);
    if (differences.length > 5) print(`  and ${differences.length - 5} more`);
  }
  const { commands, interrupts, fatal, differences, excepted } = total;
  print(
    `${paths.length} recordings, ${commands} commands (${fatal} where QEMU ends itself, ${excepted} excepted), ` +
      `${interrupts} interrupt lines: ${differences === 0 ? 'equal' : `${differences} differences`}`,
  );
  return differences === 0;
}

function parse(path: string): Transcript {
  try {
    return parseTranscript(readText(path));
  } catch (cause) {
    if (cause instanceof TranscriptError) throw new UserError(`${path}, ${cause.message}`, { cause });
    throw cause;
  }
}

/** A machine as the header says; what is wrong with the header is told with the name of the file. */
function machineOf(path: string, { args, program }: Transcript): Machine {
  try {
    return makeMachine(parseQemuArguments(args), program, folderOf(path));
  } catch (cause) {
    if (cause instanceof MachineError || cause instanceof UserError)
      throw new UserError(`${path}, "#: args": ${cause.message}`, { cause });
    throw cause;
  }
}

function short(text: string): string {
  return text === '' ? '(nothing)' : text.length > 120 ? `${text.slice(0, 120)}...` : text;
}
