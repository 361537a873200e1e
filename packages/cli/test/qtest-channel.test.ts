/** What keeps a channel from opening, and a client that asks faster than it reads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { parseQemuArguments } from '@guestmem/devices';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../src/files.ts';
import { openChannel } from '../src/qtest/channel.ts';
import { makeMachine } from '../src/qtest/machines.ts';
import { serve } from '../src/qtest/serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'guestmem-channel-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What refuses these arguments. */
async function refusal(text: string): Promise<unknown> {
  try {
    const args = parseQemuArguments(`-M q35 ${text}`.split(' '));
    await serve(makeMachine(args, undefined, '.'), args);
  } catch (error) {
    return error;
  }
  return null;
}

describe('what cannot be opened is refused in a plain sentence', () => {
  const empty = 'the path of a socket is empty; write unix:PATH or socket,path=PATH';
  const none = 'there is no such file';
  it.each([
    ['-qtest unix:', empty],
    ['-qtest unix:,server=on,wait=off', empty],
    ['-chardev socket,path=,id=c -mon chardev=c,mode=control', empty],
    ['-qtest unix:/nowhere/x.sock', `cannot connect to /nowhere/x.sock: ${none}`],
    ['-qtest-log /nowhere/x.log', `cannot write the log /nowhere/x.log: ${none}`],
    ['-qtest-log /', 'cannot write the log /: it is a directory'],
    ['-bios /nowhere/x.bin', `cannot read the firmware /nowhere/x.bin: ${none}`],
    ['-bios /', 'cannot read the firmware /: it is a directory'],
  ])('Q-99: %s', async (text, message) => {
    const error = await refusal(text);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toBe(message);
  });
});

describe('a path that is taken', () => {
  const inUse = (path: string): string => `cannot listen on ${path}: the path is in use`;
  const listen = (path: string): string => `-qtest unix:${path},server=on,wait=off`;

  it('Q-80: a socket that a killed server left behind is replaced', async () => {
    const path = join(folder, 'left.sock');
    const script = `net.createServer().listen(${JSON.stringify(path)}, () => console.log())`;
    const child = spawn(process.execPath, ['-e', script]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    let feed: (text: string) => void = () => {};
    const told = new Promise<string>((done) => {
      feed = done;
    });
    const user = { connected: () => {}, feed: (text: string) => feed(text), closed: () => {} };
    await openChannel({ kind: 'unix', path, server: true, wait: false }, () => user);
    connect(path).end('endianness\n');
    expect(await told).toBe('endianness\n');
  });

  it('the socket of a server that lives is left alone', async () => {
    const path = join(folder, 'alive.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    expect(((await refusal(listen(path))) as UserError).message).toBe(inUse(path));
    const client = connect(path);
    await once(client, 'connect');
    client.destroy();
    server.close();
  });

  it('a file is left alone', async () => {
    const path = join(folder, 'file.sock');
    writeFileSync(path, 'data');
    expect(((await refusal(listen(path))) as UserError).message).toBe(inUse(path));
    expect(readFileSync(path, 'utf8')).toBe('data');
  });
});

describe('standard input and output', () => {
  /** A server that answers each line with its number, on streams of the test's. */
  function serveLines(stdout: Writable) {
    const stdin = new PassThrough();
    const told: string[] = [];
    let lines = 0;
    const ended = new Promise<void>((done) => {
      void openChannel(
        { kind: 'stdio' },
        ({ write }) => ({
          connected: () => {},
          feed: (text) => {
            for (const _ of text.matchAll(/\n/g)) write(`${++lines}\n`);
          },
          closed: () => told.push(`closed after ${lines}`),
          unreachable: () => {
            told.push('unreachable');
            done();
          },
        }),
        { stdin, stdout },
      );
    });
    return { stdin, told, ended };
  }

  it('Q-8: the end of the input is the end of the channel once every line is answered and every answer taken', async () => {
    let text = '';
    const slow = new Writable({
      highWaterMark: 16,
      write: (chunk, _encoding, taken) => {
        text += chunk;
        setImmediate(taken);
      },
    });
    const { stdin, told, ended } = serveLines(slow);
    stdin.end('readb 0\n'.repeat(1000));
    await ended;
    expect(text.split('\n').length - 1).toBe(1000);
    expect(told).toEqual(['closed after 1000', 'unreachable']);
  });

  it('Q-8: so is a reader that has gone, while the input goes on', async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, taken) => taken(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    });
    const { stdin, told, ended } = serveLines(broken);
    stdin.write('readb 0\n');
    await ended;
    stdin.write('readb 0\n');
    stdin.end();
    await new Promise((done) => setTimeout(done, 10));
    expect(told).toEqual(['unreachable', 'closed after 2']);
  });
});

describe('a client that does not read', () => {
  it('is not listened to until it reads, and then gets every reply in order', async () => {
    const path = join(folder, 'slow.sock');
    const reply = 'r'.repeat(1 << 16);
    const count = 2000;
    let answered = 0;
    await openChannel({ kind: 'unix', path, server: true, wait: false }, ({ write }) => ({
      connected: () => {},
      feed: (text) => {
        for (const _ of text.matchAll(/\n/g)) write(`${answered++} ${reply}\n`);
      },
      closed: () => {},
    }));
    const client = connect(path);
    client.pause();
    client.write(`${' '.repeat(200)}\n`.repeat(count));
    await new Promise((done) => setTimeout(done, 100));
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(100);
    client.setEncoding('latin1');
    let text = '';
    const numbers: number[] = [];
    const all = new Promise<void>((done) =>
      client.on('data', (piece) => {
        const lines = (text + piece).split('\n');
        text = lines.pop()!;
        for (const line of lines) numbers.push(Number.parseInt(line, 10));
        if (numbers.length === count) done();
      }),
    );
    client.resume();
    await all;
    expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
    client.destroy();
  });
});
