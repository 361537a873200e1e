/**
 * A qtest server without a channel: text of the client in, text for the client out. It gathers lines from pieces, answers the
 * complete ones of a portion before anything else happens in the machine, and gives the machine its turn after..
 */
import { MAX_BLOCK, QtestCommands } from './commands.ts';
import { Interception } from './interception.ts';
import { LineBuffer } from './line-buffer.ts';
import type { QtestMachine } from './machine.ts';

/** Options of a server. */
export interface QtestServerOptions {
  /** Are `clock_step` and `clock_set` known? They are not under an accelerator other than `qtest`. Default true. */
  readonly clockCommands?: boolean;
  /** Told of every command and reply, for a log. */
  readonly log?: (direction: 'received' | 'sent', line: string) => void;
}

/** The most that QEMU takes from its channel before the machine has its turn. */
const PORTION = 1024;
/** Longest line: the digits of the longest block, a command, numbers. */
const MAX_LINE = 2 * MAX_BLOCK + 512;

/** One server; it lives as long as its machine and may see several clients, one after the other. */
export class QtestServer {
  readonly #machine: QtestMachine;
  readonly #write: (text: string) => void;
  readonly #log: ((direction: 'received' | 'sent', line: string) => void) | undefined;
  readonly #interception: Interception;
  readonly #commands: QtestCommands;
  readonly #partial = new LineBuffer(MAX_LINE);
  /** The line that comes is too long and was answered: nothing counts before its end. */
  #skipping = false;
  #out = '';
  #inPortion = false;

  /** @param write sends text to the client; one call holds whole lines, each with its line end. */
  constructor(machine: QtestMachine, write: (text: string) => void, options: QtestServerOptions = {}) {
    this.#machine = machine;
    this.#write = write;
    this.#log = options.log;
    this.#interception = new Interception((line) => this.#sendIrq(line));
    this.#commands = new QtestCommands(machine, this.#interception, options.clockCommands ?? true);
  }

  /** Takes what came from the client; each character is one byte. Replies are written before this returns. */
  feed(text: string): void {
    for (let at = 0; at < text.length; at += PORTION)
      this.#portion(text.length <= PORTION ? text : text.slice(at, at + PORTION));
  }

  /** Carries out one line and gives the machine its turn. @returns the reply. For callers without a channel. */
  execute(line: string): string {
    const reply = this.#commands.execute(line);
    this.#machine.turn();
    return reply;
  }

  /** A new client came: half a line of the last one and its interrupt levels are forgotten. */
  connected(): void {
    this.#partial.clear();
    this.#skipping = false;
    this.#interception.forget();
  }

  #portion(text: string): void {
    this.#inPortion = true;
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      const piece = text.slice(at, end);
      at = end + 1;
      if (this.#skipping) this.#skipping = false;
      else if (this.#partial.empty) this.#answer(piece);
      else if (this.#partial.add(piece)) this.#answer(this.#partial.take());
      else this.#send(TOO_LONG);
    }
    if (at < text.length && !this.#skipping) this.#keep(text.slice(at));
    this.#inPortion = false;
    this.#flush();
    this.#machine.turn();
  }

  /** Holds the start of a line; one that is too long is answered at once. */
  #keep(piece: string): void {
    if (this.#partial.add(piece)) return;
    this.#skipping = true;
    this.#send(TOO_LONG);
  }

  #answer(line: string): void {
    this.#log?.('received', line);
    this.#send(this.#commands.execute(line));
  }

  #send(line: string): void {
    this.#log?.('sent', line);
    this.#out += `${line}\n`;
    if (this.#out.length > FLUSH_AT) this.#flush();
  }

  #sendIrq(line: string): void {
    this.#send(line);
    if (!this.#inPortion) this.#flush();
  }

  #flush(): void {
    if (this.#out === '') return;
    const text = this.#out;
    this.#out = '';
    this.#write(text);
  }
}

const TOO_LONG = `FAIL The line is over this server's ${MAX_LINE} bytes`;

/** A clock command can bring any number of interrupt lines, and blocks are long: they go out on the way. */
const FLUSH_AT = 64 * 1024;
