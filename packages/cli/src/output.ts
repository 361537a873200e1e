/** What becomes of the process when its output cannot be written. */
import { reasonOf } from './reasons.ts';

/** What is used of the process. */
export interface OutputOwner {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  exit(code: number): void;
}

/** What is used of a standard stream. */
export interface OutputStream {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  write(text: string): unknown;
}

/**
 * Ends `owner` with a sentence and exit code 2 at the first failure of its standard output. A reader that has seen enough (`| head`)
 * closes the pipe, which is no failure; what only standard error could tell is lost where that cannot be written.
 */
export function guardOutput(owner: OutputOwner): void {
  owner.stderr.on('error', () => {});
  owner.stdout.on('error', (error) => {
    if (error.code === 'EPIPE') return;
    owner.stderr.write(`guestmem: cannot write standard output: ${reasonOf(error)}\n`);
    owner.exit(2);
  });
}
