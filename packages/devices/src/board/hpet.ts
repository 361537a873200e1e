/** The HPET as a PC has it: its options, its inputs and outputs, its place in a reset. H-2 to H-5, H-112. */
import { Hpet, type HpetOptions } from '../hpet/hpet.ts';
import { InterruptLine } from '../irq/interrupt-line.ts';
import { MachineError } from '../machine/error.ts';
import { parseUnsigned } from '../qtest/numbers.ts';
import type { BoardContext, DeviceModel } from './context.ts';

/** `routeCapability`: the board's, as a number. Properties: `hpet.timers`, `hpet.msi`, `hpet.hpet-intcap`. */
export const hpet: DeviceModel = (context, placed) => {
  const pit = new InterruptLine('pit');
  const rtc = new InterruptLine('rtc');
  const gate = new InterruptLine('pit-gate');
  const options: HpetOptions = {
    clock: context.clock,
    memory: context.memory,
    outputs: context.lines.slice(0, 24),
    pitGate: gate,
    events: context.events,
    timers: number(context, 'hpet.timers', 3, 0xff),
    msi: flag(context, 'hpet.msi'),
    routeCapability: routeCapability(context, Number(placed.options?.routeCapability ?? 4)),
  };
  const device = new Hpet(options);
  pit.connect((level) => device.setPitInput(level));
  rtc.connect((level) => device.setRtcInput(level));
  if (placed.path !== undefined) context.devices.push({ path: placed.path, inputs: [pit, rtc], outputs: [gate] });
  context.resets.push(() => device.reset());
  context.laterResets.push(() => rtc.set(0));
  return device.ops;
};

/** H-3: the board looks at the low byte of the option only (H-147). */
function routeCapability(context: BoardContext, board: number): number {
  const given = number(context, 'hpet.hpet-intcap', 0, 0xffff_ffff);
  return (given & 0xff) === 0 ? board : given;
}

function number(context: BoardContext, name: string, otherwise: number, max: number): number {
  const text = context.property(name);
  if (text === undefined) return otherwise;
  const value = parseUnsigned(text);
  if (value === null || value > max)
    throw new MachineError('bad-argument', `${name} must be 0 to ${max}, not '${text}'`);
  return Number(value);
}

function flag(context: BoardContext, name: string): boolean {
  const text = context.property(name) ?? 'off';
  if (['on', 'true', 'yes', 'y'].includes(text)) return true;
  if (['off', 'false', 'no', 'n'].includes(text)) return false;
  throw new MachineError('bad-argument', `${name} must be on or off, not '${text}'`);
}
