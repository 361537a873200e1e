/**
 * The commands of the qtest protocol: words in, one reply line out. Where QEMU 7.2 ends itself at a line it cannot read,
 * this answers `FAIL` with the reason. Channels, portions and the order of things are server.ts..
 */
import { addNanoseconds, type Nanoseconds } from '../clock/clock.ts';
import { AsciiText } from './ascii-text.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { BlockAccess } from './block.ts';
import type { Interception } from './interception.ts';
import { ClockMove, Fill, type LongCommand } from './long-command.ts';
import { findDevice, isContainer, type QtestMachine } from './machine.ts';
import { HEX_BYTES, hexDigits, parseSigned, parseUnsigned } from './numbers.ts';

/** Longest block that one command moves: its line or reply is twice that, and held several times over. */
export const MAX_BLOCK: number = 16 * 1024 * 1024;
/** Words of a line that any command looks at. */
const MAX_WORDS = 5;
/** Longest memset. */
const MAX_FILL = 2 ** 36;
const CLOCK_END = (1n << 63n) - 1n;

/** A line that cannot be carried out; the message is the reply. */
class Refused extends Error {}

type Command = (words: readonly string[]) => string | LongCommand;

/** The commands of one server. */
export class QtestCommands {
  readonly #machine: QtestMachine;
  readonly #interception: Interception;
  readonly #memory: BlockAccess;
  readonly #ports: BlockAccess;
  readonly #scalars: Readonly<Record<number, Uint8Array>> = {
    1: new Uint8Array(1),
    2: new Uint8Array(2),
    4: new Uint8Array(4),
    8: new Uint8Array(8),
  };
  readonly #table: ReadonlyMap<string, Command>;

  constructor(machine: QtestMachine, interception: Interception, clockCommands: boolean) {
    this.#machine = machine;
    this.#interception = interception;
    this.#memory = new BlockAccess(machine.memory);
    this.#ports = new BlockAccess(machine.ports);
    this.#table = new Map<string, Command>([
      ...WIDTHS.map(([letter, size]): [string, Command] => [`read${letter}`, (w) => this.#readScalar(w, size)]),
      ...WIDTHS.map(([letter, size]): [string, Command] => [`write${letter}`, (w) => this.#writeScalar(w, size)]),
      ...WIDTHS.slice(0, 3).map(([letter, size]): [string, Command] => [`in${letter}`, (w) => this.#in(w, size)]),
      ...WIDTHS.slice(0, 3).map(([letter, size]): [string, Command] => [`out${letter}`, (w) => this.#out(w, size)]),
      ['read', (w) => this.#read(w)],
      ['write', (w) => this.#write(w)],
      ['memset', (w) => this.#memset(w)],
      ['b64read', (w) => toBase64(this.#block(w, 0), 'OK ')],
      ['b64write', (w) => this.#b64write(w)],
      ['irq_intercept_in', (w) => this.#intercept(w, 'inputs')],
      ['irq_intercept_out', (w) => this.#intercept(w, 'outputs')],
      ['set_irq_in', (w) => this.#setIrqIn(w)],
      ['endianness', () => (machine.bigEndian ? 'OK big' : 'OK little')],
      ['module_load', () => 'FAIL'],
      ...(clockCommands ? this.#clockCommands() : []),
    ]);
  }

  /** Carries out one line. @returns the reply, without its line end; or what there is to do, in steps, until there is one. */
  begin(line: string): string | LongCommand {
    const words = line.split(' ', MAX_WORDS);
    const command = this.#table.get(words[0]!);
    if (command === undefined) return line === '' ? 'FAIL Empty command line' : `FAIL Unknown command '${words[0]}'`;
    try {
      return command(words);
    } catch (error) {
      if (error instanceof Refused) return `FAIL ${error.message}`;
      throw error;
    }
  }

  // Memory

  #readScalar(words: readonly string[], size: number): string {
    const bytes = this.#scalars[size]!;
    this.#memory.read(address(words), bytes);
    let digits = '';
    if (this.#machine.bigEndian) for (let i = 0; i < size; i++) digits += HEX_BYTES[bytes[i]!];
    else for (let i = size - 1; i >= 0; i--) digits += HEX_BYTES[bytes[i]!];
    return PADS[size]! + digits;
  }

  #writeScalar(words: readonly string[], size: number): string {
    const addr = address(words);
    const value = unsigned(words, 2, 'value');
    const bytes = this.#scalars[size]!;
    put(bytes, value, this.#machine.bigEndian);
    this.#memory.write(addr, bytes);
    return 'OK';
  }

  #read(words: readonly string[]): string {
    const bytes = this.#block(words, 1);
    const text = new AsciiText();
    for (let i = 0; i < bytes.length; i++) {
      text.add(HEX_CODES[bytes[i]! >> 4]!);
      text.add(HEX_CODES[bytes[i]! & 15]!);
    }
    return text.text('OK 0x');
  }

  #block(words: readonly string[], minimum: number): Uint8Array {
    const addr = address(words);
    const length = blockLength(words);
    if (length < minimum) throw new Refused(`A length of ${length} bytes cannot be read`);
    const bytes = new Uint8Array(length);
    if (length > 0) this.#memory.read(addr, bytes);
    return bytes;
  }

  /** the first two characters of the data are skipped unseen. */
  #write(words: readonly string[]): string {
    const addr = address(words);
    const length = blockLength(words);
    const data = words[3];
    if (data === undefined) throw new Refused('The data is missing');
    if (data.length < 3) return 'ERR invalid argument size';
    const bytes = new Uint8Array(length);
    const pairs = Math.min(length, (data.length - 2) >> 1);
    for (let i = 0; i < pairs; i++) {
      const high = hexDigit(data.charCodeAt(2 * i + 2));
      bytes[i] = (high << 4) | hexDigit(data.charCodeAt(2 * i + 3));
    }
    if (length > 0) this.#memory.write(addr, bytes);
    return 'OK';
  }

  #memset(words: readonly string[]): LongCommand {
    const addr = address(words);
    const length = unsigned(words, 2, 'length');
    const value = unsigned(words, 3, 'value');
    if (length > MAX_FILL) throw new Refused(`A length of ${length} bytes is over this server's ${MAX_FILL}`);
    return new Fill(this.#memory, addr, Number(length), Number(BigInt.asUintN(8, BigInt(value))));
  }

  /** Q-33, with missing bytes 0. */
  #b64write(words: readonly string[]): string {
    const addr = address(words);
    const length = blockLength(words);
    const text = words[3];
    if (text === undefined) throw new Refused('The data is missing');
    if (text.length < 3) return 'ERR invalid argument size';
    if (length > 0) this.#memory.write(addr, fromBase64(text, length));
    return 'OK';
  }

  // Ports: bytes of the I/O space, which are a number in the target's order as those of memory are (seen).

  #in(words: readonly string[], size: number): string {
    const bytes = this.#scalars[size]!;
    const at = port(words);
    this.#ports.read(at, bytes);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + bytes[this.#machine.bigEndian ? i : size - 1 - i]!;
    return `OK 0x${hexDigits(value, 4)}`;
  }

  #out(words: readonly string[], size: number): string {
    const at = port(words);
    const bytes = this.#scalars[size]!;
    put(bytes, unsigned(words, 2, 'value'), this.#machine.bigEndian);
    this.#ports.write(at, bytes);
    return 'OK';
  }

  // Clock

  #clockCommands(): [string, Command][] {
    return [
      ['clock_step', (w) => this.#clockStep(w)],
      ['clock_set', (w) => this.#clockSet(w)],
    ];
  }

  #clockStep(words: readonly string[]): string | LongCommand {
    const { clock } = this.#machine;
    if (words.length < 2) return this.#moveTo(clock.nextDeadline ?? clock.now);
    const delta = parseSigned(words[1], 64);
    if (delta === null) throw new Refused(`'${shown(words[1]!)}' is not a number of nanoseconds`);
    return this.#moveTo(addNanoseconds(clock.now, delta));
  }

  #clockSet(words: readonly string[]): string | LongCommand {
    const target = parseSigned(words[1], 64);
    if (target === null) throw new Refused(`clock_set needs a number of nanoseconds`);
    return this.#moveTo(target);
  }

  /** A target behind 2^63 - 1 wraps into the past, where nothing happens. */
  #moveTo(target: Nanoseconds): string | LongCommand {
    const { clock } = this.#machine;
    return target > CLOCK_END ? `OK ${clock.now}` : new ClockMove(clock, target);
  }

  // Interrupt lines

  #intercept(words: readonly string[], direction: 'inputs' | 'outputs'): string {
    const path = word(words, 1, 'path');
    const device = findDevice(this.#machine, path);
    // Any object but the one that is listened to is told that another is (seen); without one it must be a device.
    if (device === null)
      return this.#interception.on && isContainer(this.#machine, path) ? ALREADY : 'FAIL Unknown device';
    return this.#interception.start(device, direction) ? 'OK' : ALREADY;
  }

  /** */
  #setIrqIn(words: readonly string[]): string {
    const device = findDevice(this.#machine, word(words, 1, 'path'));
    // Before the numbers are looked at (seen).
    if (device === null) return 'FAIL Unknown device';
    const name = word(words, 2, 'name');
    const number = parseSigned(words[3], 32);
    const level = parseSigned(words[4], 32);
    if (number === null) throw new Refused('set_irq_in needs the number of an input');
    if (level === null) throw new Refused('set_irq_in needs a level');
    if (name !== 'unnamed-gpio-in') throw new Refused(`${device.path} has no inputs named '${shown(name)}'`);
    const line = device.inputs[Number(number)];
    if (line === undefined) throw new Refused(`${device.path} has ${device.inputs.length} inputs, not ${number}`);
    line.set(Number(level));
    return 'OK';
  }
}

const ALREADY = 'FAIL IRQ intercept already enabled';

const WIDTHS = [
  ['b', 1],
  ['w', 2],
  ['l', 4],
  ['q', 8],
] as const;

const HEX_CODES = Uint8Array.from('0123456789abcdef', (char) => char.charCodeAt(0));

/** What stands before the digits of a value of so many bytes: all replies have 16 digits. */
const PADS: Readonly<Record<number, string>> = {
  1: 'OK 0x00000000000000',
  2: 'OK 0x000000000000',
  4: 'OK 0x00000000',
  8: 'OK 0x',
};

function word(words: readonly string[], at: number, what: string): string {
  const value = words[at];
  if (value === undefined || value === '') throw new Refused(`The ${what} is missing`);
  return value;
}

function unsigned(words: readonly string[], at: number, what: string): number | bigint {
  const value = parseUnsigned(words[at]);
  if (value !== null) return value;
  throw new Refused(`The ${what} '${shown(word(words, at, what))}' is not a number of 64 bits`);
}

function address(words: readonly string[]): number | bigint {
  return unsigned(words, 1, 'address');
}

function port(words: readonly string[]): number {
  const value = unsigned(words, 1, 'port');
  if (value > 0xffff) throw new Refused(`Port 0x${value.toString(16)} is beyond 0xffff`);
  return Number(value);
}

function blockLength(words: readonly string[]): number {
  const length = unsigned(words, 2, 'length');
  if (length > MAX_BLOCK) throw new Refused(`A length of ${length} bytes is over this server's ${MAX_BLOCK}`);
  return Number(length);
}

/** A word of a client in a message: short, and in one line. */
function shown(text: string): string {
  return (text.length > 60 ? `${text.slice(0, 60)}...` : text).replace(/[^\x20-\x7e]/g, '?');
}

function put(bytes: Uint8Array, value: number | bigint, bigEndian: boolean): void {
  const last = bytes.length - 1;
  let rest = value;
  if (typeof rest === 'bigint') {
    for (let i = 0; i <= last; i++, rest >>= 8n) bytes[bigEndian ? last - i : i] = Number(rest & 0xffn);
  } else {
    for (let i = 0; i <= last; i++, rest = Math.floor(rest / 256)) bytes[bigEndian ? last - i : i] = rest % 256;
  }
}

/** A character that is no hex digit counts as -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
