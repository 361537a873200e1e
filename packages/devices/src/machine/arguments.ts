/**
 * QEMU's command line, as far as it describes a machine that is modelled here and a test channel. An option that is
 * not modelled is refused in one sentence, never ignored..
 */
import { parseUnsigned } from '../qtest/numbers.ts';
import type { CardConfig, MachineConfig } from './config.ts';
import type { MachineDefinition } from './definition.ts';
import { MachineError } from './error.ts';

/** Where a server listens, or whom it connects to. */
export type ChannelAddress =
  | { readonly kind: 'stdio' }
  | { readonly kind: 'unix'; readonly path: string; readonly server: boolean; readonly wait: boolean };

/** Everything that a command line says. */
export interface QemuArguments {
  /** Name after `-M`; undefined: none was given. */
  readonly machine: string | undefined;
  /** `-M NAME,option=on|off`. */
  readonly machineOptions: ReadonlyMap<string, boolean>;
  readonly ramBytes: bigint | undefined;
  /** File name after `-bios`. */
  readonly firmware: string | undefined;
  readonly properties: ReadonlyMap<string, string>;
  readonly cards: readonly CardConfig[];
  /** `qtest` puts the clock under control; another accelerator has no clock commands. */
  readonly accel: 'qtest' | 'tcg';
  /** `-S`: the machine waits for the monitor's `cont`. No CPU runs either way; the monitor tells of it. */
  readonly stopped: boolean;
  readonly qtest: ChannelAddress | undefined;
  /** File for the log of commands and replies, or `none`; undefined: standard error. */
  readonly qtestLog: string | undefined;
  /** The monitor's channel. */
  readonly monitor: ChannelAddress | undefined;
}

/** Reads QEMU's arguments. @throws {MachineError} naming the argument and what is wrong with it. */
export function parseQemuArguments(args: readonly string[]): QemuArguments {
  const reader = new Reader();
  for (let i = 0; i < args.length; i++) {
    const name = args[i]!.replace(/^--/, '-');
    if (name === '-S') reader.stopped = true;
    if (FLAGS.has(name)) continue;
    const option = OPTIONS[name];
    if (option === undefined)
      throw new MachineError(
        'not-modelled',
        `the argument '${name}' is not modelled here; leave it out or use QEMU itself`,
      );
    const value = args[++i];
    if (value === undefined) throw new MachineError('bad-argument', `the argument '${name}' needs a value`);
    option(reader, value);
  }
  return reader.finish();
}

/** The part of the arguments that `definition` is made with. @throws {MachineError} an option that it does not have. */
export function machineConfig(definition: MachineDefinition, args: QemuArguments): MachineConfig {
  const without = new Set<string>();
  for (const [name, on] of args.machineOptions) {
    const regions = definition.options?.[name];
    if (regions === undefined)
      throw new MachineError('not-modelled', `the option '${name}' of machine ${definition.name} is not modelled here`);
    if (!on) for (const region of regions) without.add(region);
  }
  const { ramBytes, properties, cards } = args;
  return { ...(ramBytes !== undefined && { ramBytes }), without, properties, cards };
}

class Reader {
  machine: string | undefined;
  readonly machineOptions = new Map<string, boolean>();
  ramBytes: bigint | undefined;
  firmware: string | undefined;
  readonly properties = new Map<string, string>();
  readonly cards: CardConfig[] = [];
  accel: 'qtest' | 'tcg' = 'qtest';
  stopped = false;
  qtest: ChannelAddress | undefined;
  qtestLog: string | undefined;
  readonly chardevs = new Map<string, ChannelAddress>();
  monitor: string | undefined;

  finish(): QemuArguments {
    const { monitor, chardevs, ...plain } = this;
    const channel = monitor === undefined ? undefined : chardevs.get(monitor);
    if (monitor !== undefined && channel === undefined)
      throw new MachineError('bad-argument', `-mon names the chardev '${monitor}', which is not there`);
    const mask = this.properties.get('edu.dma_mask');
    const cards = plain.cards.map((card) =>
      card.dmaMask === undefined && mask !== undefined ? { ...card, dmaMask: wide(mask, 'edu.dma_mask') } : card,
    );
    return { ...plain, cards, monitor: channel };
  }
}

const FLAGS = new Set(['-nodefaults', '-S', '-no-reboot', '-no-shutdown', '-nographic', '-no-user-config']);

const OPTIONS: Readonly<Record<string, (reader: Reader, value: string) => void>> = {
  '-M': machine,
  '-machine': machine,
  '-m': (reader, value) => {
    const { first, rest } = parts(value, 'size');
    for (const name of rest.keys())
      if (name !== 'size') throw new MachineError('not-modelled', `-m ${name}=... is not modelled here`);
    reader.ramBytes = ramSize(first ?? '');
  },
  '-bios': (reader, value) => {
    reader.firmware = value;
  },
  '-global': (reader, value) => {
    const match = /^([\w-]+)\.([\w-]+)=(.*)$/.exec(value);
    const name = match === null ? value : `${match[1]}.${match[2]}`;
    if (match === null || !PROPERTIES.has(name))
      throw new MachineError('not-modelled', `-global ${value}: only ${[...PROPERTIES].join(', ')} are modelled here`);
    reader.properties.set(name, match[3]!);
  },
  '-device': (reader, value) => {
    reader.cards.push(card(value));
  },
  '-accel': (reader, value) => {
    const { first } = parts(value, 'accel');
    if (first !== 'qtest' && first !== 'tcg')
      throw new MachineError(
        'not-modelled',
        `-accel ${value} is not modelled here; use qtest, or tcg for a stopped machine`,
      );
    reader.accel = first;
  },
  '-qtest': (reader, value) => {
    reader.qtest = channel('-qtest', value);
  },
  '-qtest-log': (reader, value) => {
    reader.qtestLog = value === '/dev/null' ? 'none' : value;
  },
  '-chardev': (reader, value) => {
    const { first, rest } = parts(value, 'backend');
    const id = rest.get('id');
    const path = rest.get('path');
    if (first !== 'socket' || id === undefined || path === undefined)
      throw new MachineError('not-modelled', `-chardev ${value}: only socket,path=...,id=... is modelled here`);
    reader.chardevs.set(id, unixChannel(path, rest));
  },
  '-mon': (reader, value) => {
    const { first: chardev, rest } = parts(value, 'chardev');
    if (chardev === undefined || rest.get('mode') !== 'control')
      throw new MachineError('not-modelled', `-mon ${value}: only chardev=ID,mode=control is modelled here`);
    reader.monitor = chardev;
  },
  '-qmp': (reader, value) => {
    reader.chardevs.set('qmp', channel('-qmp', value));
    reader.monitor = 'qmp';
  },
  '-display': only('none'),
  '-monitor': only('none'),
  '-serial': only('none', 'null'),
  '-parallel': only('none', 'null'),
  '-vga': only('none'),
  '-name': () => {},
};

const PROPERTIES = new Set(['hpet.timers', 'hpet.msi', 'hpet.hpet-intcap', 'edu.dma_mask']);

function machine(reader: Reader, value: string): void {
  const { first, rest } = parts(value, 'type');
  reader.machine = first ?? reader.machine;
  for (const [name, text] of rest) {
    if (name === 'accel') {
      OPTIONS['-accel']!(reader, text);
      continue;
    }
    const on = text === 'on' ? true : text === 'off' ? false : undefined;
    if (on === undefined) throw new MachineError('not-modelled', `-M ...,${name}=${text} is not modelled here`);
    reader.machineOptions.set(name, on);
  }
}

function card(value: string): CardConfig {
  const { first, rest } = parts(value, 'driver');
  if (first !== 'edu') throw new MachineError('not-modelled', `-device ${first} is not modelled here; edu is`);
  const addr = rest.get('addr');
  const mask = rest.get('dma_mask');
  for (const name of rest.keys())
    if (!['addr', 'dma_mask', 'id', 'bus'].includes(name))
      throw new MachineError('not-modelled', `-device edu,${name}=... is not modelled here`);
  const bus = rest.get('bus');
  if (bus !== undefined && bus !== 'pcie.0' && bus !== 'pci.0')
    throw new MachineError('not-modelled', `-device edu,bus=${bus}: only the first bus is modelled here`);
  return {
    ...(addr !== undefined && { devfn: slot(addr) }),
    ...(mask !== undefined && { dmaMask: wide(mask, 'edu.dma_mask') }),
  };
}

/** QEMU reads the slot as hexadecimal, with an optional function: `4`, `1f.0`. */
function slot(text: string): number {
  const match = /^(?:0x)?([0-9a-f]{1,2})(?:\.([0-7]))?$/i.exec(text);
  const device = match === null ? 32 : Number.parseInt(match[1]!, 16);
  if (device > 31) throw new MachineError('bad-argument', `'${text}' is not a PCI slot (0 to 1f, function 0 to 7)`);
  return (device << 3) | Number(match![2] ?? 0);
}

function wide(text: string, what: string): bigint {
  const value = parseUnsigned(text);
  if (value === null) throw new MachineError('bad-argument', `${what} must be a number of 64 bits, not '${text}'`);
  return BigInt(value);
}

/** Megabytes without a suffix; B, K, M, G, T with one. As in QEMU 7.2 it is rounded up to 8 KiB, and 0 is the machine's default. */
function ramSize(text: string): bigint | undefined {
  const match = /^(\d+)([bkmgt]?)$/i.exec(text);
  if (match === null) throw new MachineError('bad-argument', `-m ${text}: not a size such as 256, 64M or 6G`);
  const shift = { b: 0n, k: 10n, '': 20n, m: 20n, g: 30n, t: 40n }[match[2]!.toLowerCase()]!;
  const bytes = BigInt(match[1]!) << shift;
  return bytes === 0n ? undefined : (bytes + RAM_STEP - 1n) & -RAM_STEP;
}

const RAM_STEP = 0x2000n;

function channel(what: string, value: string): ChannelAddress {
  if (value === 'stdio' || value === 'chardev:stdio') return { kind: 'stdio' };
  const { first, rest } = parts(value, 'kind');
  if (first?.startsWith('unix:') !== true)
    throw new MachineError(
      'not-modelled',
      `${what} ${value}: only stdio and unix:PATH[,server=on,wait=off] are modelled here`,
    );
  return unixChannel(first.slice('unix:'.length), rest);
}

function unixChannel(path: string, rest: ReadonlyMap<string, string>): ChannelAddress {
  for (const [name, value] of rest)
    if (
      !['id', 'path', 'server', 'wait', 'nowait'].includes(name) ||
      (!['on', 'off'].includes(value) && name !== 'id' && name !== 'path')
    )
      throw new MachineError('not-modelled', `socket option ${name}=${value} is not modelled here`);
  const wait = rest.get('wait') !== 'off' && rest.get('nowait') !== 'on';
  return { kind: 'unix', path, server: rest.get('server') === 'on', wait };
}

function only(...known: string[]): (reader: Reader, value: string) => void {
  return (_, value) => {
    if (!known.includes(value))
      throw new MachineError('not-modelled', `'${value}' is not modelled here; ${known.join(' or ')} is`);
  };
}

/** `a,b=c,d`: the first part alone, if it has no name; a part without a value is `on`. Two commas stand for one. */
function parts(value: string, firstName: string): { first: string | undefined; rest: ReadonlyMap<string, string> } {
  const rest = new Map<string, string>();
  let first: string | undefined;
  for (const [i, part] of value.replaceAll(',,', '\0').split(',').entries()) {
    const text = part.replaceAll('\0', ',');
    const equals = text.indexOf('=');
    if (i === 0 && (equals < 0 || text.startsWith('unix:'))) first = text;
    else if (equals < 0) rest.set(text, 'on');
    else if (text.slice(0, equals) === firstName) first = text.slice(equals + 1);
    else rest.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return { first, rest };
}
