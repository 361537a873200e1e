/** Runs a script on a real QEMU in lock step and gives what it said, as a transcript. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Transcript, TranscriptStep } from '@guestmem/devices';
import type { Script } from './generate.ts';

const COMMON = '-accel qtest -qtest stdio -qtest-log none -display none -nodefaults'.split(' ');

/** What came of a run. `hung`: a command took too long, and the transcript ends before it. */
export interface RealRun {
  readonly transcript: Transcript;
  readonly hung: boolean;
}

/** Runs `script`; `cwd` is where its firmware lies. QEMU is ended by its process id. */
export async function runReal(program: string, script: Script, cwd: string, commandMs = 3000): Promise<RealRun> {
  const child = spawn(program, [...script.args, ...COMMON], { cwd });
  const lines = new Lines(child);
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    if (complaint.length < 2000) complaint += text.toString();
  });
  const steps: TranscriptStep[] = [];
  let interrupts: string[] = [];
  let sleepMs = 0;
  let hung = false;
  for (const [index, line] of script.lines.entries()) {
    const sleep = /^sleep (\d+)$/.exec(line);
    if (sleep !== null) {
      sleepMs += Number(sleep[1]);
      await new Promise((done) => setTimeout(done, Number(sleep[1])));
      continue;
    }
    child.stdin.write(`${line}\n`);
    let reply = await lines.next(commandMs);
    while (reply?.startsWith('IRQ ') === true || (reply !== null && !/^(OK|FAIL|ERR)( |$)/.test(reply))) {
      if (reply.startsWith('IRQ ')) interrupts.push(reply);
      reply = await lines.next(commandMs);
    }
    if (reply === null) {
      hung = child.exitCode === null && child.signalCode === null;
      if (!hung && steps.length === 0) throw new Error(`${program} did not start: ${complaint.trim()}`);
      if (!hung) steps.push({ line: index + 1, command: line, reply: 'EOF', interrupts, sleepMs });
      break;
    }
    steps.push({ line: index + 1, command: line, reply, interrupts, sleepMs });
    interrupts = [];
    sleepMs = 0;
  }
  child.kill('SIGKILL');
  return { transcript: { program, args: script.args, steps, trailing: [] }, hung };
}

/** Lines of a child's output, one at a time. */
class Lines {
  readonly #ready: string[] = [];
  #partial = '';
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(child: ChildProcessWithoutNullStreams) {
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (text: string) => {
      const parts = (this.#partial + text).split('\n');
      this.#partial = parts.pop()!;
      this.#ready.push(...parts);
      this.#wake?.();
    });
    child.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
    child.stdin.on('error', () => {});
  }

  /** The next line; null at the end or after `ms`. */
  async next(ms: number): Promise<string | null> {
    if (this.#ready.length === 0 && !this.#ended) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, ms);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
      this.#wake = null;
    }
    return this.#ready.shift() ?? null;
  }
}
