import { describe, expect, it } from 'vitest';
import { InterruptLine, WiredOr } from '../src/index.ts';

describe('interrupt lines', () => {
  it('tell every driving to those connected, and changes only to observers', () => {
    const line = new InterruptLine('x');
    const driven: number[] = [];
    const changes: boolean[] = [];
    line.connect((level) => driven.push(level));
    line.observe((high) => changes.push(high));
    line.raise();
    line.raise();
    line.set(2);
    line.lower();
    expect(driven).toEqual([1, 1, 2, 0]);
    expect(changes).toEqual([true, false]);
    expect(line.level).toBe(0);
  });

  it('count rising edges: a pulse is one, a level that stays is one', () => {
    const line = new InterruptLine('x');
    line.pulse();
    line.pulse();
    line.raise();
    line.raise();
    expect(line.risingEdges).toBe(3);
  });

  it('tell all who are connected, though one throws, and then throw that', () => {
    const line = new InterruptLine('x');
    const told: number[] = [];
    const failure = new Error('listener');
    line.connect(() => {
      throw failure;
    });
    line.connect((level) => told.push(level));
    expect(() => line.raise()).toThrow(failure);
    expect([line.level, told]).toEqual([1, [1]]);
    line.connect(() => {
      throw failure;
    });
    expect(() => line.lower()).toThrow(
      new AggregateError([failure, failure], '2 listeners of an interrupt line failed'),
    );
    expect(() => line.pulse()).toThrow('4 listeners');
    expect([line.level, told]).toEqual([0, [1, 0, 1, 0]]);
  });

  it('H-145: take numbers for levels and functions for listeners, and keep theirs where they refuse', () => {
    const line = new InterruptLine('x');
    line.raise();
    expect(() => line.set('high' as never)).toThrow(
      new TypeError('the level of "x" must be a number, 0 for low and others for high, not the string "high"'),
    );
    expect(() => line.set(true as never)).toThrow(/not true/);
    expect(() => new WiredOr(line).input().set(undefined as never)).toThrow(/not undefined/);
    expect(() => line.connect(undefined as never)).toThrow(new TypeError('a wire tells a function, not undefined'));
    expect(() => line.observe({} as never)).toThrow(TypeError);
    expect([line.level, line.risingEdges]).toEqual([1, 1]);
  });

  it('H-145: two drivers of one line lower it for each other', () => {
    const line = new InterruptLine('shared');
    const [a, b] = [line, line];
    a.raise();
    b.raise();
    b.lower();
    expect(line.level).toBe(0);
  });

  it('stop telling when disposed, also from within a call', () => {
    const line = new InterruptLine('x');
    const log: string[] = [];
    const first = line.connect(() => {
      log.push('first');
      first.dispose();
    });
    line.connect(() => log.push('second'));
    line.pulse();
    expect(log).toEqual(['first', 'second', 'second']);
  });

  it('tell a listener once for each connection, and disconnect one at a time', () => {
    const line = new InterruptLine('x');
    const log: number[] = [];
    const listener = (level: number): void => void log.push(level);
    const first = line.connect(listener);
    line.connect(listener);
    line.raise();
    first.dispose();
    first.dispose();
    line.lower();
    expect(log).toEqual([1, 1, 0]);
  });

  it('wired-or: high while any driver is, driven each time one is', () => {
    const line = new InterruptLine('x');
    const driven: number[] = [];
    line.connect((level) => driven.push(level));
    const or = new WiredOr(line);
    const [a, b] = [or.input(), or.input()];
    a.set(1);
    b.set(1);
    a.set(0);
    a.set(0);
    b.set(0);
    expect(driven).toEqual([1, 1, 1, 1, 0]);
  });
});
