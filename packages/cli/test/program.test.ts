import { expect, it } from 'vitest';
import { createProgram } from '../src/program.ts';

it('the program is called guestmem and tells the version of its package', () => {
  const program = createProgram();
  expect(program.name()).toBe('guestmem');
  expect(program.version()).toMatch(/^\d+\.\d+\.\d+/);
});
