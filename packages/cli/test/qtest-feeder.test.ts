/** How a channel's input is handed on: in portions, with the output's consent, in turns. */
import { describe, expect, it } from 'vitest';
import { eventReport } from '../src/qtest/event-report.ts';
import { PortionFeeder } from '../src/qtest/portion-feeder.ts';

function feeder(onPortion: (feeder: PortionFeeder) => void = () => {}) {
  const portions: string[] = [];
  const calls: string[] = [];
  const input = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
  const made: PortionFeeder = new PortionFeeder(input, (text) => {
    portions.push(text);
    onPortion(made);
  });
  return { made, portions, calls };
}

const turn = () => new Promise<void>((done) => setImmediate(done));

/** Keeps the processor busy. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('PortionFeeder', () => {
  it('Q-6: hands on at most 1024 bytes at once, from the start of each text', () => {
    const { made, portions, calls } = feeder();
    made.push('a'.repeat(1024));
    made.push('b'.repeat(2049));
    expect(portions.map((text) => text[0]! + text.length)).toEqual(['a1024', 'b1024', 'b1024', 'b1']);
    expect(calls).toEqual([]);
  });

  it('ends a portion behind a line that reads a long block', () => {
    const { made, portions } = feeder();
    made.push('readb 0\nread 0 0x1000000\nb64read 0x5 9999999\nread 0 999999\nreadb 0x10000000\n');
    expect(portions).toEqual([
      'readb 0\nread 0 0x1000000\n',
      'b64read 0x5 9999999\n',
      'read 0 999999\nreadb 0x10000000\n',
    ]);
  });

  it('rests behind the present portion while the output is full, and goes on after drain', async () => {
    const { made, portions, calls } = feeder((self) => self.block());
    made.push('x'.repeat(3000));
    await turn();
    expect(portions.length).toBe(1);
    expect(calls).toEqual(['pause']);
    for (const count of [2, 3]) {
      made.drained();
      await turn();
      expect(portions.length).toBe(count);
    }
    expect(calls).toEqual(['pause']);
    made.drained();
    await turn();
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('leaves the event loop its turn between portions that take long, and keeps their order', async () => {
    const { made, portions, calls } = feeder(() => spin(12));
    made.push(`${'a'.repeat(1024)}${'b'.repeat(1024)}`);
    made.push('c');
    expect(portions.length).toBe(1);
    while (portions.length < 3) await turn();
    expect(portions.map((text) => text[0]!).join('')).toBe('abc');
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('hands on nothing while it is held, not at the end of the input either, and all of it after', async () => {
    const { made, portions, calls } = feeder((self) => self.hold());
    made.push('a\n');
    made.push('b\n');
    let ended = false;
    made.finish(() => (ended = true));
    await turn();
    expect([portions.length, ended, calls]).toEqual([1, false, ['pause']]);
    made.release();
    await turn();
    expect([portions.length, ended]).toEqual([2, false]);
    made.release();
    await turn();
    expect(ended).toBe(true);
  });

  it('ends no sooner than the replies to what came before the end of the input are taken', async () => {
    const { made, portions } = feeder((self) => self.block());
    made.push('x'.repeat(2000));
    let ended = false;
    made.end(() => (ended = true));
    await turn();
    expect([portions.length, ended]).toEqual([1, false]);
    made.drained();
    await turn();
    expect([portions.length, ended]).toEqual([2, true]);
  });

  it('is done when all that came was handed on, though the client left with the output full', async () => {
    const { made, portions } = feeder((self) => self.block());
    made.push('x'.repeat(3000));
    await new Promise<void>((done) => made.finish(done));
    expect(portions.length).toBe(3);
  });
});

describe('eventReport', () => {
  it('tells each event with its count, the most frequent first', () => {
    expect(
      eventReport(
        new Map([
          ['a: read', 1],
          ['b: written', 7],
        ]),
      ),
    ).toEqual(['guestmem: b: written: 7 times', 'guestmem: a: read: 1 time']);
  });

  it('has at most 20 lines', () => {
    const events = (count: number): [string, number][] => Array.from({ length: count }, (_, i) => [`event ${i}`, 1]);
    expect(eventReport(events(20)).at(-1)).toBe('guestmem: event 19: 1 time');
    const lines = eventReport(events(25));
    expect(lines.length).toBe(20);
    expect(lines.at(-1)).toBe('guestmem: and 6 more kinds of events');
  });
});
