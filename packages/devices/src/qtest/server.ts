/**
 * A qtest server without a channel: text of the client in, text for the client out. It gathers lines from pieces, answers the
 * complete ones of a portion before anything else happens in the machine, and gives the machine its turn after..
 */
import { MAX_BLOCK, QtestCommands } from './commands.ts';
import { Interception } from './interception.ts';
import { LineBuffer } from './line-buffer.ts';
import type { LongCommand } from './long-command.ts';
import type { QtestMachine } from './machine.ts';

/** Options of a server. */
export interface QtestServerOptions {
  /** Are `clock_step` and `clock_set` known? They are not under an accelerator other than `qtest`. Default true. */
  readonly clockCommands?: boolean;
  /** Told of every command and reply, for a log. */
  readonly log?: (direction: 'received' | 'sent', line: string) => void;
  /** Gives others their turn within a long command. Default: `feed` returns when all that came is answered. */
  readonly turns?: QtestTurns;
}

/** How a server shares its event loop. A `memset` of 64 GiB, or a clock command with millions of timers, takes seconds. */
export interface QtestTurns {
  /** Asked after each small step (about a millisecond) of a long command: have others waited long enough? */
  due(): boolean;
  /** Calls `resume` once, from the event loop; until then the server rests and is `busy`. */
  rest(resume: () => void): void;
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
  readonly #turns: QtestTurns | undefined;
  readonly #partial = new LineBuffer(MAX_LINE);
  /** The line that comes is too long and was answered: nothing counts before its end. */
  #skipping = false;
  #out = '';
  #inPortion = false;
  /** The portion that is worked on, and how far. */
  #text = '';
  #at = 0;
  /** What came while a command rests. */
  #waiting: string[] = [];
  #long: LongCommand | null = null;
  /** The client that gave the long command is still there. */
  #wanted = true;

  /** @param write sends text to the client; one call holds whole lines, each with its line end. */
  constructor(machine: QtestMachine, write: (text: string) => void, options: QtestServerOptions = {}) {
    this.#machine = machine;
    this.#write = write;
    this.#log = options.log;
    this.#turns = options.turns;
    this.#interception = new Interception((line) => this.#sendIrq(line));
    this.#commands = new QtestCommands(machine, this.#interception, options.clockCommands ?? true);
  }

  /** A command rests, and what is fed waits for its reply; only with `turns`. Hold input back meanwhile: what waits is kept. */
  get busy(): boolean {
    return this.#long !== null;
  }

  /** Takes what came from the client; each character is one byte. Replies are written before this returns, unless it gets `busy`. */
  feed(text: string): void {
    for (let at = 0; at < text.length; at += PORTION) {
      const portion = text.length <= PORTION ? text : text.slice(at, at + PORTION);
      if (this.#long === null) this.#portion(portion);
      else this.#waiting.push(portion);
    }
  }

  /** Carries out one line and gives the machine its turn. @returns the reply. For callers without a channel; never rests. */
  execute(line: string): string {
    const begun = this.#commands.begin(line);
    let reply = typeof begun === 'string' ? begun : null;
    while (reply === null) reply = (begun as LongCommand).step();
    this.#machine.turn();
    return reply;
  }

  /**
   * A new client came: what the last one said without an answer yet and its interrupt levels are forgotten. A command that
   * rests is ended, but not answered.
   */
  connected(): void {
    this.#partial.clear();
    this.#skipping = false;
    this.#interception.forget();
    if (this.#long === null) return;
    this.#wanted = false;
    this.#waiting = [];
    this.#text = '';
    this.#at = 0;
  }

  #portion(text: string): void {
    this.#inPortion = true;
    this.#text = text;
    this.#at = 0;
    this.#lines();
  }

  /** The lines of the portion from where it stands; back before its end where a command rests. */
  #lines(): void {
    const text = this.#text;
    for (let end = text.indexOf('\n', this.#at); end >= 0; end = text.indexOf('\n', this.#at)) {
      const piece = text.slice(this.#at, end);
      this.#at = end + 1;
      if (this.#skipping) this.#skipping = false;
      else if (this.#partial.empty) this.#answer(piece);
      else if (this.#partial.add(piece)) this.#answer(this.#partial.take());
      else this.#send(TOO_LONG);
      if (this.#long !== null) return;
    }
    if (this.#at < text.length && !this.#skipping) this.#keep(text.slice(this.#at));
    this.#text = '';
    this.#at = 0;
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
    const begun = this.#commands.begin(line);
    if (typeof begun === 'string') this.#send(begun);
    else this.#go(begun);
  }

  /** Steps until the reply is there, or others have their turn. */
  #go(command: LongCommand): void {
    const turns = this.#turns;
    for (;;) {
      const reply = command.step();
      if (reply !== null) {
        this.#long = null;
        if (this.#wanted) this.#send(reply);
        this.#wanted = true;
        return;
      }
      if (turns?.due()) {
        this.#long = command;
        this.#flush();
        turns.rest(() => this.#resume(command));
        return;
      }
    }
  }

  #resume(command: LongCommand): void {
    this.#go(command);
    if (this.#long === null) this.#lines();
    while (this.#long === null && this.#waiting.length > 0) this.#portion(this.#waiting.shift()!);
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
