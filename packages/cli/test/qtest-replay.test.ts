/** Every recorded conversation with a real QEMU 7.2.22, replayed on machines of ours. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exceptedCommands, replayFile } from '../src/qtest/replay-files.ts';

const FIXTURES = fileURLToPath(new URL('./fixtures/qtest/', import.meta.url));

const SUITES = [
  { folder: 'hpet', title: 'H-1 to H-119: the HPET answers as recorded', files: 31, commands: 3268, interrupts: 749 },
  { folder: 'edu', title: 'E-1 to E-67: the edu card answers as recorded', files: 14, commands: 724, interrupts: 20 },
  {
    folder: 'ram',
    title: 'R-1 to R-11: memory on eight targets answers as recorded',
    files: 16,
    commands: 1069,
    interrupts: 0,
  },
  {
    folder: 'qtest',
    title: 'Q-1 to Q-71: the protocol is spoken as recorded',
    files: 12,
    commands: 115,
    interrupts: 9,
  },
];

describe.each(SUITES)('$title', ({ folder, files, commands, interrupts }) => {
  const names = readdirSync(`${FIXTURES}${folder}`).filter((name) => name.endsWith('.transcript'));

  it.each(names)('%s', (name) => {
    expect(replayFile(`${FIXTURES}${folder}/${name}`).differences).toEqual([]);
  });

  it('no recording is missing', () => {
    const results = names.map((name) => replayFile(`${FIXTURES}${folder}/${name}`));
    const sum = (of: 'commands' | 'interrupts'): number => results.reduce((total, result) => total + result[of], 0);
    expect({ files: names.length, commands: sum('commands'), interrupts: sum('interrupts') }).toEqual({
      files,
      commands,
      interrupts,
    });
  });
});

describe('the list of excepted commands', () => {
  const list = exceptedCommands();

  it('is at most 3 % of all commands, each with a reason', () => {
    expect(list.length).toBeLessThanOrEqual(0.03 * 5176);
    for (const { reason } of list) expect(reason).not.toBe('');
  });

  it('names commands that are in the recordings, and each of them does differ', () => {
    for (const entry of list) {
      const path = `${FIXTURES}hpet/${entry.transcript}.transcript`;
      const line = readFileSync(path, 'utf8').split('\n')[entry.line - 1];
      expect(line?.startsWith(`${entry.command} => `)).toBe(true);
      const others = list.filter((other) => other !== entry);
      expect(replayFile(path, others).differences.map((difference) => difference.line)).toContain(entry.line);
    }
  });
});

describe('a header that makes no machine', () => {
  const HEADER = '#: binary qemu-system-x86_64\n';
  it.each([
    ['names none', '#: args -m 128\n', /a\.transcript, "#: args": which machine\? Give -M/],
    [
      'names an unknown one',
      '#: args -M pdp11\n',
      /a\.transcript, "#: args": the machine 'pdp11' of qemu-system-x86_64 is/,
    ],
    [
      'has an option of no machine here',
      '#: args -M q35 -wat\n',
      /a\.transcript, "#: args": the argument '-wat' is not/,
    ],
  ])('that %s is told with the name of the file', (_, args, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'guestmem-replay-'));
    const path = join(folder, 'a.transcript');
    writeFileSync(path, `${HEADER}${args}\nreadb 0x0 => OK 0x0000000000000000\n`);
    expect(() => replayFile(path)).toThrow(
      expect.objectContaining({ name: 'UserError', message: expect.stringMatching(message) }),
    );
    rmSync(folder, { recursive: true });
  });
});
