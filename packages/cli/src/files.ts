/**
 * Reads what commands take: files, gzipped or not, standard input for `-`, and captures, which are several files of one
 * name. Every failure is a UserError with one plain sentence.
 */
import { readFileSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { MtreeFacts } from '@guestmem/qemu-memory';
import { reasonOf } from './reasons.ts';

/** A mistake of the person at the keyboard: shown as one sentence on standard error, exit code 2. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Gives the text of a file, unpacked if its name ends in `.gz`; of standard input for `-`. A byte order mark is left out. @throws {UserError} */
export function readText(path: string): string {
  if (path === '-' && process.stdin.isTTY)
    throw new UserError('standard input is a terminal; name a file, or pipe one in (--help tells more)');
  try {
    const bytes = path === '-' ? readInput() : readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    throw new UserError(`cannot read ${path === '-' ? 'standard input' : path}: ${reasonOf(cause)}`, { cause });
  }
}

/** All of standard input. A pipe that a Node program made says EAGAIN while nothing is there yet, which `readFileSync` gives up at. */
function readInput(): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(1 << 16);
    try {
      const count = readSync(0, part);
      if (count === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, count));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return Buffer.concat(parts); // The end of a pipe in Windows.
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 5);
    }
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** The files of a capture: `NAME.mtree` and its siblings, each of which may be gzipped. */
export interface Capture {
  readonly name: string;
  /** Text of the file with that ending, undefined if there is none. @throws {UserError} if it cannot be read. */
  text(ending: CaptureEnding): string | undefined;
  /** Facts of `NAME.json`, undefined if there is none. */
  readonly facts: CaptureFacts | undefined;
}

/** What the monitor command printed: `info mtree`, `-D`, `-f`, `-f -d`, `-o -D`; and the arguments and facts. */
export type CaptureEnding = 'mtree' | 'disabled' | 'flat' | 'dispatch' | 'owners' | 'json';

/** The `facts` of a capture: what its trees do not tell. `tree` says to which of them the line numbers belong. */
export interface CaptureFacts extends MtreeFacts {
  readonly tree: 'mtree' | 'disabled';
}

/** The capture that `path`, one of its files, belongs to. Reads nothing yet but the facts. */
export function openCapture(path: string): Capture {
  const name = basename(path)
    .replace(/\.gz$/, '')
    .replace(/\.(?:mtree|disabled|flat|dispatch|owners|json)$/, '');
  const text = (ending: CaptureEnding): string | undefined => {
    const file = join(dirname(path), `${name}.${ending}`);
    return readIfThere(file) ?? readIfThere(`${file}.gz`);
  };
  const json = text('json');
  return { name, text, facts: json === undefined ? undefined : factsOf(json, `${name}.json`) };
}

/** Sets the exit code to 2 and prints one sentence if `error` is of the user's making; else throws it again. */
export function reportUserError(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`guestmem: ${inOneLine(error.message)}\n`);
  process.exitCode = 2;
}

/** A message may quote a file: what would steer the terminal, or begin a line of its own, is shown as `\\xNN`. */
function inOneLine(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return message.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    const { cause } = error as UserError;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function factsOf(json: string, name: string): CaptureFacts | undefined {
  let value: { facts?: unknown } | null;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new UserError(`${name} is not JSON: ${reasonOf(cause)}`, { cause });
  }
  const facts = value?.facts;
  if (facts === undefined) return undefined;
  const tree = (facts as Partial<CaptureFacts> | null)?.tree;
  if (tree !== 'mtree' && tree !== 'disabled')
    throw new UserError(`${name}: "facts" must be an object whose "tree" is "mtree" or "disabled"`);
  return facts as CaptureFacts;
}
