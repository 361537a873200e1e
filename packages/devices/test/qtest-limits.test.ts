/** What a client may ask of the server at most: blocks, lines. */
import { MemoryCore } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { QtestServer, VirtualClock } from '../src/index.ts';

const MAX_BLOCK = 0x100_0000;
const MAX_LINE = 2 * MAX_BLOCK + 512;

/** 64 KiB of RAM and nothing else. */
function server() {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  root.addSubregion(0, core.ram('ram', sparseBacking(0x1_0000)));
  const machine = {
    memory: core.addressSpace(root, 'memory'),
    ports: core.addressSpace(core.container('io', 0x1_0000), 'I/O'),
    bigEndian: false,
    clock: new VirtualClock(),
    devices: [],
    turn: () => {},
  };
  const writes: string[] = [];
  const qtest = new QtestServer(machine, (text) => writes.push(text));
  return { qtest, writes, say: (line: string) => qtest.execute(line) };
}

describe('blocks', () => {
  it('Q-26: read gives the longest block whole', () => {
    const { say } = server();
    say('writeb 0xffff 0xa5');
    const reply = say('read 0 0x1000000');
    expect(reply.length).toBe('OK 0x'.length + 2 * MAX_BLOCK);
    expect(reply.slice(0, 7)).toBe('OK 0x00');
    expect(reply.slice(5 + 2 * 0xfffe, 5 + 2 * 0x1_0001)).toBe('00a500');
  });

  it('Q-32: b64read gives the longest block whole', () => {
    const { say } = server();
    say('writeb 0xffff 0xa5');
    const reply = say('b64read 0 0x1000000');
    const bytes = Buffer.from(reply.slice(3), 'base64');
    expect(bytes.length).toBe(MAX_BLOCK);
    expect(bytes[0xffff]).toBe(0xa5);
    expect(Buffer.from(bytes).toString('base64') === reply.slice(3)).toBe(true);
  });

  it.each([0, 1, 2, 3, 4, 6143, 6144, 6145])('Q-32: %i bytes are padded as everybody pads', (length) => {
    const { say } = server();
    say('memset 0 0x10000 0xfb');
    expect(say(`b64read 0 ${length}`)).toBe(`OK ${Buffer.alloc(length, 0xfb).toString('base64')}`);
  });

  it.each(['read', 'b64read'])('%s of a longer block is refused with the limit', (command) => {
    const { say } = server();
    for (const length of ['0x1000001', '0x8000000', '0xffffffffffffffff'])
      expect(say(`${command} 0 ${length}`)).toBe(
        `FAIL A length of ${BigInt(length)} bytes is over this server's 16777216`,
      );
  });

  it('long replies of one portion go out one by one, in order', () => {
    const { qtest, writes } = server();
    qtest.feed('read 0 0x100000\nendianness\nread 0 0x100000\n');
    expect(writes.map((text) => text.length)).toEqual([5 + 0x20_0000 + 1, 'OK little\nOK 0x\n'.length + 0x20_0000]);
  });
});

describe('lines', () => {
  const piece = 'x'.repeat(1 << 16);

  it('the longest write is taken', () => {
    const { qtest, writes } = server();
    qtest.feed(`write 0x0 0x1000000 0x${'5a'.repeat(MAX_BLOCK)}\nreadb 0xffff\n`);
    expect(writes.join('')).toBe('OK\nOK 0x000000000000005a\n');
  });

  it('a line that never ends is answered once, dropped and skipped up to the next line', () => {
    const { qtest, writes } = server();
    for (let sent = 0; sent < 3 * MAX_LINE; sent += piece.length) qtest.feed(piece);
    expect(writes).toEqual([`FAIL The line is over this server's ${MAX_LINE} bytes\n`]);
    qtest.feed('endianness\nendianness\n');
    expect(writes.slice(1)).toEqual(['OK little\n']);
  });

  it('the limit is the same where the end of the line comes along', () => {
    const { qtest, writes } = server();
    const head = 'x'.repeat(MAX_LINE - 1);
    qtest.feed(head);
    qtest.feed('x\n');
    expect(writes.join('').slice(0, 22)).toBe("FAIL Unknown command '");
    writes.length = 0;
    qtest.feed(head);
    qtest.feed('xx\nendianness\n');
    expect(writes.join('')).toBe(`FAIL The line is over this server's ${MAX_LINE} bytes\nOK little\n`);
  });

  it('a line of bytes that come one by one is put together', () => {
    const { qtest, writes } = server();
    for (const char of `write 0x0 2000 0x${'7e'.repeat(2000)}\nreadb 1999\n`) qtest.feed(char);
    expect(writes.join('')).toBe('OK\nOK 0x000000000000007e\n');
  });

  it('Q-9: a new client has nothing to do with the long line of the last one', () => {
    const { qtest, writes } = server();
    for (let sent = 0; sent <= MAX_LINE; sent += piece.length) qtest.feed(piece);
    writes.length = 0;
    qtest.connected();
    qtest.feed('endianness\n');
    expect(writes).toEqual(['OK little\n']);
  });

  it('a line of nothing but spaces is answered', () => {
    const { qtest, writes } = server();
    qtest.feed(`${' '.repeat(2 * MAX_BLOCK)}\n`);
    expect(writes.join('')).toBe("FAIL Unknown command ''\n");
  });
});
