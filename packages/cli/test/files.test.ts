/** Standard input as pipes of other programs give it. The real ones differ by who made them, so what they answer is said here. */
import { readSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { readText, UserError } from '../src/files.ts';

vi.mock('node:fs', async (original) => ({ ...(await original<object>()), readSync: vi.fn() }));

type Answer = string | { readonly code: string };

/** Each answer once: text, or an error; then the end. */
function answer(...answers: readonly Answer[]): void {
  const left = [...answers];
  vi.mocked(readSync).mockImplementation((fd, into) => {
    expect(fd).toBe(0);
    const next = left.shift() ?? '';
    if (typeof next !== 'string') throw Object.assign(new Error(next.code), next);
    return (into as Buffer).write(next);
  });
}

it('a pipe that has nothing yet, as those of a Node program, is waited for', () => {
  answer({ code: 'EAGAIN' }, '\ufeffaddress', { code: 'EAGAIN' }, { code: 'EAGAIN' }, '-space: memory\n');
  expect(readText('-')).toBe('address-space: memory\n');
});

it('a pipe of Windows ends by an error', () => {
  answer('x', { code: 'EOF' });
  expect(readText('-')).toBe('x');
});

it('any other error is told in a sentence', () => {
  answer('x', { code: 'EIO' });
  expect(() => readText('-')).toThrow(UserError);
});
