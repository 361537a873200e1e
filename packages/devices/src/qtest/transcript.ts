/**
 * Recorded conversations of a client with a real QEMU: the header, the commands with their replies, and the interrupt lines in
 * the order in which they came.
 */

/** One command, its recorded reply, and what came before that reply since the last one. */
export interface TranscriptStep {
  /** Line of the file, from 1. */
  readonly line: number;
  readonly command: string;
  /** The reply, or `EOF` where the program ended itself. */
  readonly reply: string;
  /** Interrupt lines that were sent since the last reply, those of pauses included. */
  readonly interrupts: readonly string[];
  /** Milliseconds of real time that the client waited before it sent the command. */
  readonly sleepMs: number;
}

/** A whole file. */
export interface Transcript {
  /** Program, for example `qemu-system-x86_64`. */
  readonly program: string;
  /** Its arguments, those that all recordings have in common left out. */
  readonly args: readonly string[];
  readonly steps: readonly TranscriptStep[];
  /** Interrupt lines after the last command. */
  readonly trailing: readonly string[];
}

/** The text is not a transcript. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
  /** Line of the text, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

/** Reads a `.transcript`. @throws {TranscriptError} with the line that does not fit. */
export function parseTranscript(text: string): Transcript {
  const header = new Map<string, string>();
  const steps: TranscriptStep[] = [];
  let interrupts: string[] = [];
  let sleepMs = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const directive = /^#: (\S+) ?(.*)$/.exec(line);
    const sleep = /^#~ sleep (\d+)$/.exec(line);
    const step = /^(.*) => (.*)$/.exec(line);
    if (directive !== null) header.set(directive[1]!, directive[2]!);
    else if (sleep !== null) sleepMs += Number(sleep[1]);
    else if (line === '' || line.startsWith('#')) continue;
    else if (/^IRQ (raise|lower) \d+$/.test(line)) interrupts.push(line);
    else if (step !== null) {
      steps.push({ line: index + 1, command: step[1]!, reply: step[2]!, interrupts, sleepMs });
      interrupts = [];
      sleepMs = 0;
    } else
      throw new TranscriptError(
        index + 1,
        `neither a command with its reply nor an interrupt line: ${line.slice(0, 80)}`,
      );
  }
  const program = header.get('binary');
  if (program === undefined) throw new TranscriptError(1, 'no "#: binary" line names the program');
  const args = (header.get('args') ?? '').split(/\s+/).filter((arg) => arg !== '');
  return { program, args, steps, trailing: interrupts };
}
