/**
 * As much of QEMU's monitor protocol (QMP) as clients of qtest expect: the greeting, the negotiation, a few queries,
 * `human-monitor-command` with `info mtree`, the end. Text in, text out, like server.ts. Q-94, Q-99.
 */
import { flatDump, type MemoryCore, printFlatDump, printMtree } from '@guestmem/qemu-memory';

/** What a monitor can ask of its machine. */
export interface QmpMachine {
  readonly core: MemoryCore;
  requestReset(): void;
  turn(): void;
}

/** Options of a monitor. */
export interface QmpOptions {
  /** Told once when the client asks the program to end. */
  readonly quit?: () => void;
  /** Does the machine wait for `cont`, as one that was started with `-S`? Default false. */
  readonly stopped?: boolean;
}

/** A JSON object that came. */
type Arguments = Readonly<Record<string, unknown>>;

interface Request {
  readonly execute: string;
  readonly arguments?: Arguments;
}

/** What a request may have beside `execute`. `exec-oob` counts once a client has negotiated it; no command here is one for it. */
const MEMBERS: readonly string[] = ['execute', 'arguments', 'id'];
/** Arguments that a command takes; the others take none. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  qmp_capabilities: ['enable'],
  'human-monitor-command': ['command-line', 'cpu-index'],
};

/** A refused command: class and description as QMP has them. */
class QmpError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Longest request that is gathered. */
const MAX_REQUEST = 1 << 16;

/** The version that this program stands in for (Q-94). */
const VERSION = { qemu: { micro: 22, minor: 2, major: 7 }, package: 'guestmem' };

/** One monitor; it may see several clients, one after the other. */
export class QmpServer {
  readonly #machine: QmpMachine;
  readonly #write: (text: string) => void;
  readonly #quit: () => void;
  readonly #commands: ReadonlyMap<string, (args: Arguments) => unknown>;
  #text = '';
  #negotiated = false;
  #status: 'prelaunch' | 'running' | 'paused';

  /** @param write sends text to the client; each call holds whole lines. */
  constructor(machine: QmpMachine, write: (text: string) => void, options: QmpOptions = {}) {
    this.#machine = machine;
    this.#write = write;
    this.#quit = options.quit ?? (() => {});
    this.#status = options.stopped === true ? 'prelaunch' : 'running';
    this.#commands = new Map<string, (args: Arguments) => unknown>([
      ['qmp_capabilities', () => this.#capabilities()],
      ['query-version', () => VERSION],
      ['query-status', () => ({ running: this.#running, singlestep: false, status: this.#status })],
      ['query-commands', () => [...this.#commands.keys()].map((name) => ({ name }))],
      ['stop', () => this.#setRunning(false)],
      ['cont', () => this.#setRunning(true)],
      ['system_reset', () => this.#reset()],
      ['human-monitor-command', (args) => this.#human(args)],
      ['quit', () => ({})],
    ]);
  }

  /** A new client came: it is greeted, and must negotiate. */
  connected(): void {
    this.#text = '';
    this.#negotiated = false;
    this.#send({ QMP: { version: VERSION, capabilities: ['oob'] } });
  }

  /** Takes what came from the client, each character one byte: JSON objects, with or without anything between them. */
  feed(text: string): void {
    this.#text += text;
    for (let end = objectEnd(this.#text); end !== 0; end = objectEnd(this.#text)) {
      if (end < 0 || end > MAX_REQUEST) {
        this.#text = '';
        this.#send({ error: { class: 'GenericError', desc: 'JSON parse error, expecting an object' } });
        return;
      }
      const request = this.#text.slice(0, end);
      this.#text = this.#text.slice(end);
      this.#answer(request);
    }
  }

  #answer(text: string): void {
    let request: unknown;
    try {
      request = JSON.parse(fromUtf8(text));
      const { execute: name, arguments: args = {} } = checked(request);
      const command = this.#commands.get(name);
      if (!this.#negotiated && name !== 'qmp_capabilities')
        throw new QmpError('CommandNotFound', "Expecting capabilities negotiation with 'qmp_capabilities'");
      if (command === undefined) throw new QmpError('CommandNotFound', `The command ${name} has not been found`);
      const other = Object.keys(args).find((key) => PARAMETERS[name]?.includes(key) !== true);
      if (other !== undefined) throw new QmpError('GenericError', `Parameter '${other}' is unexpected`);
      this.#reply(request, { return: command(args) });
      if (name === 'quit') this.#quit();
      this.#machine.turn();
    } catch (error) {
      const kind = error instanceof QmpError ? error.kind : 'GenericError';
      this.#reply(request, { error: { class: kind, desc: (error as Error).message } });
    }
  }

  #capabilities(): object {
    if (this.#negotiated)
      throw new QmpError('CommandNotFound', 'Capabilities negotiation is already complete, command ignored');
    this.#negotiated = true;
    return {};
  }

  get #running(): boolean {
    return this.#status === 'running';
  }

  #setRunning(on: boolean): object {
    if (this.#running === on) return {};
    this.#event(on ? 'RESUME' : 'STOP');
    this.#status = on ? 'running' : 'paused';
    return {};
  }

  /** A machine that was paused is as before its start again (seen). */
  #reset(): object {
    this.#machine.requestReset();
    this.#event('RESET', { guest: false, reason: 'host-qmp-system-reset' });
    if (!this.#running) this.#status = 'prelaunch';
    return {};
  }

  #human(args: Arguments): string {
    const line = args['command-line'];
    if (line === undefined) throw new QmpError('GenericError', "Parameter 'command-line' is missing");
    if (typeof line !== 'string')
      throw new QmpError('GenericError', "Invalid parameter type for 'command-line', expected: string");
    return this.#command(line).replaceAll('\n', '\r\n');
  }

  /** A line of the human monitor. T-180. */
  #command(line: string): string {
    const match = /^\s*(\S+)\s*(\S*)(.*)$/s.exec(line);
    if (match === null) return '';
    const [, command, topic, rest] = match;
    if (command !== 'info') return `unknown command: '${command!.slice(0, 80)}'\n`;
    if (topic !== 'mtree') return `unknown command: '${`info ${topic}`.trim().slice(0, 80)}'\n`;
    const { options, wrong } = mtreeOptions(rest!);
    if (wrong !== null) return `mtree: ${wrong}\nTry "help info mtree" for more information\n`;
    if (options.has('o')) return 'info mtree: no -o here, the machines do not tell who owns a region\n';
    const { core } = this.#machine;
    if (!options.has('f')) return printMtree(core, { disabled: options.has('D') });
    return printFlatDump(flatDump(core, options.has('d') ? { pageBits: Math.log2(core.pageSize) } : {}));
  }

  #event(name: string, data?: object): void {
    this.#send({ timestamp: { seconds: 0, microseconds: 0 }, event: name, ...(data !== undefined && { data }) });
  }

  #reply(request: unknown, reply: object): void {
    const id = (request as { readonly id?: unknown } | undefined)?.id;
    this.#send(id === undefined ? reply : { ...reply, id });
  }

  #send(value: object): void {
    const text = JSON.stringify(value).replace(/[\x7f-\uffff]/g, escaped);
    this.#write(`${text}\r\n`);
  }
}

/** The form of a request. @throws {QmpError} in QEMU's words (seen). */
function checked(value: unknown): Request {
  if (!isObject(value)) throw new QmpError('GenericError', 'QMP input must be a JSON object');
  for (const [member, content] of Object.entries(value)) {
    if (!MEMBERS.includes(member)) throw new QmpError('GenericError', `QMP input member '${member}' is unexpected`);
    if (member === 'execute' && typeof content !== 'string')
      throw new QmpError('GenericError', "QMP input member 'execute' must be a string");
    if (member === 'arguments' && !isObject(content))
      throw new QmpError('GenericError', "QMP input member 'arguments' must be an object");
  }
  if (!('execute' in value)) throw new QmpError('GenericError', "QMP input lacks member 'execute'");
  return value as unknown as Request;
}

function isObject(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text whose bytes are the characters of `text`. */
function fromUtf8(text: string): string {
  try {
    return decodeURIComponent(text.replace(/[%\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16)}`));
  } catch {
    throw new QmpError('GenericError', 'JSON parse error, invalid UTF-8 sequence in string');
  }
}

/** QEMU says everything in ASCII (seen). */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** T-180: each option at most once, in the order f, d, o, D. `wrong`: what QEMU says of a line that it does not take. */
function mtreeOptions(text: string): { readonly options: ReadonlySet<string>; readonly wrong: string | null } {
  const options = new Set<string>();
  let rest = text.trim();
  for (const [i, letter] of MTREE_OPTIONS.entries()) {
    if (!rest.startsWith('-')) break;
    if (rest[1] === letter) {
      options.add(letter);
      rest = rest.slice(2).trimStart();
    } else if (!MTREE_OPTIONS.includes(rest[1] ?? '', i))
      return { options, wrong: `unsupported option ${rest.slice(0, 2)}` };
  }
  return { options, wrong: rest === '' ? null : 'extraneous characters at the end of line' };
}

const MTREE_OPTIONS: readonly string[] = ['f', 'd', 'o', 'D'];

/** Length of the first whole JSON object of `text`, what stands before it included; 0: none yet; -1: no object can come. */
function objectEnd(text: string): number {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      if (--depth === 0) return i + 1;
    }
    if (depth < 0 || (depth === 0 && !/[\s"]/.test(char))) return -1;
  }
  return text.length > MAX_REQUEST ? -1 : 0;
}
