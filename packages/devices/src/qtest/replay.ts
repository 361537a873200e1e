/**
 * Runs a recorded conversation on a machine of ours and compares reply by reply, interrupt lines in order. What the real program
 * answered by ending itself is not compared, but must be answered and survived (Q-13, E-45).
 */
import type { VirtualClock } from '../clock/virtual-clock.ts';
import type { QtestMachine } from './machine.ts';
import { QtestServer } from './server.ts';
import type { Transcript } from './transcript.ts';

/** A machine whose host time the replay turns, for devices that work beside virtual time. */
export interface ReplayMachine extends QtestMachine {
  readonly hostClock: VirtualClock;
}

/** One line that differs. */
export interface ReplayDifference {
  /** Line of the transcript; for interrupt lines that of the command they came before. */
  readonly line: number;
  readonly command: string;
  readonly expected: string;
  readonly actual: string;
}

/** What came of a replay. */
export interface ReplayResult {
  readonly commands: number;
  /** Commands at which the real program ended itself. */
  readonly fatal: number;
  readonly interrupts: number;
  readonly differences: readonly ReplayDifference[];
}

/** Options of a replay. */
export interface ReplayOptions {
  /** Compare the interrupt lines after the last command? Not where the recording was cut there. Default true. */
  readonly compareTrailing?: boolean;
}

/** Replays all of `transcript` on `machine`, which must be fresh. */
export function replayTranscript(
  transcript: Transcript,
  machine: ReplayMachine,
  options: ReplayOptions = {},
): ReplayResult {
  let lines: string[] = [];
  const server = new QtestServer(machine, (text) => lines.push(...text.split('\n').slice(0, -1)));
  const differences: ReplayDifference[] = [];
  let interrupts = 0;
  let fatal = 0;
  const take = (): string[] => {
    const taken = lines;
    lines = [];
    return taken;
  };
  const compare = (line: number, command: string, expected: string, actual: string): void => {
    if (expected !== actual) differences.push({ line, command, expected, actual });
  };
  for (const step of transcript.steps) {
    if (step.sleepMs > 0) {
      machine.hostClock.advanceBy(step.sleepMs * 1_000_000);
      machine.turn();
    }
    server.feed(`${step.command}\n`);
    // The reply is the last line that is no interrupt line; what comes behind it belongs to the next command.
    const got = take();
    let at = got.length - 1;
    while (at >= 0 && got[at]!.startsWith('IRQ ')) at--;
    const before = got.slice(0, Math.max(at, 0));
    lines = got.slice(at + 1);
    interrupts += step.interrupts.length;
    compare(step.line, step.command, step.interrupts.join(', '), before.join(', '));
    if (step.reply === 'EOF') fatal++;
    else compare(step.line, step.command, step.reply, got[at] ?? '(no reply)');
  }
  interrupts += transcript.trailing.length;
  if (options.compareTrailing !== false)
    compare(transcript.steps.at(-1)?.line ?? 1, '(end)', transcript.trailing.join(', '), take().join(', '));
  return { commands: transcript.steps.length, fatal, interrupts, differences };
}
