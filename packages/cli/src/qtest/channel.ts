/** Character channels: standard input and output, a Unix socket that is connected to or listened on.. */
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { ChannelAddress } from '@guestmem/devices';
import { UserError } from '../files.ts';

/** What a server does with its channel. Text is one character a byte. */
export interface ChannelUser {
  /** A client is there; before anything it says. */
  connected(): void;
  feed(text: string): void;
  closed(): void;
}

/** An open channel. */
export interface Channel {
  /** Sends text to the client; dropped where none is there. */
  write(text: string): void;
}

/**
 * Opens `address` for `user`, which gets a channel to answer on first. Resolves when a client is there, or at once for a listening
 * socket that need not wait.
 *
 * @throws {UserError} the socket cannot be connected or listened on.
 */
export async function openChannel(address: ChannelAddress, makeUser: (channel: Channel) => ChannelUser): Promise<void> {
  if (address.kind === 'stdio') openStdio(makeUser);
  else if (address.server) await listen(address.path, address.wait, makeUser);
  else await dial(address.path, makeUser);
}

function openStdio(makeUser: (channel: Channel) => ChannelUser): void {
  const user = makeUser({ write: (text) => void process.stdout.write(text, 'latin1') });
  // A client that went away is not an error of the server's: it goes on running.
  process.stdout.on('error', () => {});
  user.connected();
  process.stdin.setEncoding('latin1');
  process.stdin.on('data', (text: string) => user.feed(text));
  process.stdin.on('end', () => user.closed());
  process.stdin.on('error', () => user.closed());
}

async function dial(path: string, makeUser: (channel: Channel) => ChannelUser): Promise<void> {
  const slot = new Slot(makeUser);
  const socket = connect(path);
  await new Promise<void>((done, fail) => {
    socket.once('connect', done);
    socket.once('error', (cause) => fail(new UserError(`cannot connect to ${path}: ${cause.message}`, { cause })));
  });
  slot.serve(socket);
}

async function listen(path: string, wait: boolean, makeUser: (channel: Channel) => ChannelUser): Promise<void> {
  const slot = new Slot(makeUser);
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', (cause) => fail(new UserError(`cannot listen on ${path}: ${cause.message}`, { cause })));
    server.listen(path, done);
  });
  process.once('exit', () => removeSocket(path));
  const first = new Promise<void>((done) => server.once('connection', () => done()));
  server.on('connection', (socket) => slot.serve(socket));
  if (wait) await first;
}

/** The one place of a client: a second one is turned away while the first is there. */
class Slot {
  readonly #user: ChannelUser;
  #socket: Socket | null = null;

  constructor(makeUser: (channel: Channel) => ChannelUser) {
    this.#user = makeUser({ write: (text) => void this.#socket?.write(text, 'latin1') });
  }

  serve(socket: Socket): void {
    if (this.#socket !== null) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#user.feed(text.toString()));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#socket = null;
      this.#user.closed();
    });
    this.#user.connected();
  }
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already.
  }
}
