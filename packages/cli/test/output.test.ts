/** What the program does when nobody takes what it prints. */
import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { guardOutput } from '../src/output.ts';
import { QtestLog } from '../src/qtest/log.ts';

class Stream extends EventEmitter {
  text = '';
  write(text: string): void {
    this.text += text;
  }
}

/** What comes of an output that fails with `code`. */
function failing(code: string, which: 'stdout' | 'stderr' = 'stdout') {
  const owner = {
    stdout: new Stream(),
    stderr: new Stream(),
    codes: [] as number[],
    exit: (c: number) => owner.codes.push(c),
  };
  guardOutput(owner as never);
  owner[which].emit('error', Object.assign(new Error(`${code}: told by the system`), { code }));
  return { said: owner.stderr.text, codes: owner.codes };
}

it('D10: output that cannot be written ends the program with one sentence and exit code 2, never 1', () => {
  expect(failing('ENOSPC')).toEqual({
    said: 'guestmem: cannot write standard output: no space is left\n',
    codes: [2],
  });
  expect(failing('EIO')).toEqual({
    said: 'guestmem: cannot write standard output: EIO: told by the system\n',
    codes: [2],
  });
});

it('D10: a reader that has seen enough is no failure, nor is a standard error that takes nothing', () => {
  expect(failing('EPIPE')).toEqual({ said: '', codes: [] });
  expect(failing('ENOSPC', 'stderr')).toEqual({ said: '', codes: [] });
});

it('Q-81: a log that cannot be written has gaps, says so once, and ends nothing', () => {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const log = new QtestLog('/dev/full');
  log.opened();
  log.message('received', 'readb 0');
  vi.restoreAllMocks();
  expect(said).toEqual(['guestmem: the log /dev/full has gaps: no space is left\n']);
});
