/** Character channels: standard input and output, a Unix socket that is connected to or listened on.. */
import { statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ChannelAddress } from '@guestmem/devices';
import { UserError } from '../files.ts';
import { reasonOf } from '../reasons.ts';
import { PortionFeeder } from './portion-feeder.ts';

/** What a server does with its channel. Text is one character a byte. */
export interface ChannelUser {
  /** A client is there; before anything it says. */
  connected(): void;
  /** Takes one portion of what it says. */
  feed(text: string): void;
  closed(): void;
  /** No client can come any more, and what was written has been taken. Called at most once. */
  unreachable?(): void;
}

/** An open channel. */
export interface Channel {
  /** Sends text to the client; dropped where none is there. Its input rests while it does not take what was sent. */
  write(text: string): void;
  /** Hands on nothing of what the client says until `release`. */
  hold(): void;
  release(): void;
}

/** Where `stdio` goes: the process's own, but for tests. */
export interface StandardStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/**
 * Opens `address` for `user`, which gets a channel to answer on first. Resolves when a client is there, or at once for a listening
 * socket that need not wait.
 *
 * @throws {UserError} the socket has no path, or cannot be connected or listened on.
 */
export async function openChannel(
  address: ChannelAddress,
  makeUser: (channel: Channel) => ChannelUser,
  stdio: StandardStreams = process,
): Promise<void> {
  if (address.kind === 'stdio') openStdio(makeUser, stdio);
  else if (address.path === '')
    throw new UserError('the path of a socket is empty; write unix:PATH or socket,path=PATH');
  else if (address.server) await listen(address.path, address.wait, makeUser);
  else await dial(address.path, makeUser);
}

function openStdio(makeUser: (channel: Channel) => ChannelUser, { stdin, stdout }: StandardStreams): void {
  let gone = false;
  let reachable = true;
  const user = makeUser({
    write: (text) => {
      if (!gone && !stdout.write(text, 'latin1')) feeder.block();
    },
    hold: () => feeder.hold(),
    release: () => feeder.release(),
  });
  const feeder = new PortionFeeder(stdin, (text) => user.feed(text));
  const leave = (): void => {
    if (reachable) user.unreachable?.();
    reachable = false;
  };
  const ended = (): void =>
    feeder.end(() => {
      user.closed();
      stdout.write('', leave);
    });
  stdout.on('drain', () => feeder.drained());
  // A client that reads no more is not an error of the server's.
  stdout.on('error', () => {
    gone = true;
    feeder.drained();
    leave();
  });
  user.connected();
  stdin.setEncoding('latin1');
  stdin.on('data', (text: string) => feeder.push(text));
  stdin.on('end', ended);
  stdin.on('error', ended);
}

async function dial(path: string, makeUser: (channel: Channel) => ChannelUser): Promise<void> {
  const slot = new Slot(makeUser);
  const socket = connect(path);
  await new Promise<void>((done, fail) => {
    socket.once('connect', done);
    socket.once('error', (cause) => fail(new UserError(`cannot connect to ${path}: ${reasonOf(cause)}`, { cause })));
  });
  slot.serve(socket, () => slot.user.unreachable?.());
}

async function listen(path: string, wait: boolean, makeUser: (channel: Channel) => ChannelUser): Promise<void> {
  const slot = new Slot(makeUser);
  const server = createServer();
  try {
    await opened(server, path).catch(async (cause) => {
      if (!(await isDeserted(path))) throw cause;
      removeSocket(path);
      await opened(server, path);
    });
  } catch (cause) {
    throw new UserError(`cannot listen on ${path}: ${reasonOf(cause)}`, { cause });
  }
  process.once('exit', () => removeSocket(path));
  const first = new Promise<void>((done) => server.once('connection', () => done()));
  server.on('connection', (socket) => slot.serve(socket));
  if (wait) await first;
}

/** The one place of a client: others wait, in order, until the first has left and what it said is worked off (seen). */
class Slot {
  readonly user: ChannelUser;
  #socket: Socket | null = null;
  #feeder: PortionFeeder | null = null;
  readonly #waiting: Socket[] = [];

  constructor(makeUser: (channel: Channel) => ChannelUser) {
    this.user = makeUser({
      write: (text) => this.#write(text),
      hold: () => this.#feeder?.hold(),
      release: () => this.#feeder?.release(),
    });
  }

  /** @param left is called when the client has left and what it said is worked off. */
  serve(socket: Socket, left: () => void = () => {}): void {
    socket.on('error', () => {});
    if (this.#socket !== null) {
      this.#waiting.push(socket);
      return;
    }
    const feeder = new PortionFeeder(socket, (text) => this.user.feed(text));
    this.#socket = socket;
    this.#feeder = feeder;
    socket.setEncoding('latin1');
    socket.on('data', (text) => feeder.push(text.toString()));
    socket.on('drain', () => feeder.drained());
    socket.on('close', () =>
      feeder.finish(() => {
        this.#leave();
        left();
      }),
    );
    this.user.connected();
  }

  #write(text: string): void {
    if (this.#socket === null || this.#socket.destroyed) return;
    if (!this.#socket.write(text, 'latin1')) this.#feeder?.block();
  }

  #leave(): void {
    this.#socket = null;
    this.#feeder = null;
    this.user.closed();
    let next = this.#waiting.shift();
    while (next?.destroyed === true) next = this.#waiting.shift();
    if (next !== undefined) this.serve(next);
  }
}

function opened(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  });
}

/**
 * Is `path` a socket that nobody listens on, left behind by a process that was killed? QEMU replaces it, and anything else that
 * lies there; a file, or a socket of somebody who lives, is refused here.
 */
async function isDeserted(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  const socket = connect(path);
  return new Promise((done) => {
    socket.once('connect', () => {
      socket.destroy();
      done(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'));
  });
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already.
  }
}
