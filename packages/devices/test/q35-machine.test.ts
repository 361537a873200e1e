/** What only a whole Q35 shows: how its parts are wired, and which clock each goes by. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Machine, machineConfig, parseQemuArguments, QtestServer } from '../src/index.ts';

const definition = JSON.parse(readFileSync(new URL('../../cli/captures/machines/q35.json', import.meta.url), 'utf8'));

/** A Q35 and what it answers to lines of the protocol, interrupt lines included. */
function q35(...args: string[]) {
  const machine = new Machine(definition, machineConfig(definition, parseQemuArguments(['-m', '64M', ...args])));
  let text = '';
  const server = new QtestServer(machine, (more) => (text += more));
  const say = (...lines: string[]): string[] => {
    text = '';
    for (const line of lines) server.feed(`${line}\n`);
    return text.trimEnd().split('\n');
  };
  return { machine, say };
}

/** Lines that map the registers of the card in `slot` at 0xe0000000. */
const map = (slot: number): string[] =>
  [
    [0x10, 0xe000_0000],
    [0x04, 2],
  ].flatMap(([offset, value]) => [`outl 0xcf8 ${0x8000_0000 + (slot << 11) + offset!}`, `outl 0xcfc ${value}`]);

describe('a Q35', () => {
  it.each([
    [3, 23],
    [4, 20],
    [5, 21],
    [6, 22],
    [24, 20],
  ])('E-66: INTA of slot %i is interrupt line %i', (slot, line) => {
    const { say } = q35('-device', `edu,addr=${slot.toString(16)}`);
    say('irq_intercept_in ioapic', ...map(slot));
    expect(say('writel 0xe0000060 1')).toEqual([`IRQ raise ${line}`, 'OK']);
    expect(say('writel 0xe0000064 1')).toEqual([`IRQ lower ${line}`, 'OK']);
  });

  it('Q-56: the factorial of the edu card goes by the time of the host, which no command moves', () => {
    const { machine, say } = q35('-device', 'edu,addr=4');
    say(...map(4), 'writel 0xe0000008 5');
    const busy = ['readl 0xe0000008', 'readl 0xe0000020'];
    expect(say('clock_step 1000000000000', ...busy)).toEqual([
      'OK 1000000000000',
      'OK 0x0000000000000005',
      'OK 0x0000000000000001',
    ]);
    machine.hostClock.advanceBy(1_000_000_000);
    expect(say(...busy, 'clock_step 0')).toEqual([
      'OK 0x0000000000000078',
      'OK 0x0000000000000000',
      'OK 1000000000000',
    ]);
  });

  it('H-112: in a reset the RTC lowers its output, and line 8 with it if that was up', () => {
    const { say } = q35('-M', 'q35,pit=off');
    const hpet = say('irq_intercept_in ioapic', 'set_irq_in /machine/unattached/device[7] unnamed-gpio-in 1 1');
    expect(hpet).toEqual(['OK', 'IRQ raise 8', 'OK']);
    expect(say('outb 0xcf9 6', 'endianness')).toEqual(['OK', 'IRQ lower 8', 'OK little']);
    expect(say('outb 0xcf9 6', 'endianness')).toEqual(['OK', 'OK little']);
  });
});
