/** The server on its channels, driven as QEMU's libqtest drives it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine, MachineError, machineConfig, parseQemuArguments } from '@guestmem/devices';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findMachine, makeMachine } from '../src/qtest/machines.ts';
import { serve } from '../src/qtest/serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'guestmem-qtest-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A peer that waits for text. */
class Peer {
  readonly #socket: Socket;
  #text = '';
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.#text += text;
      this.#wake();
    });
  }

  say(text: string): void {
    this.#socket.write(text);
  }

  /** The text up to and with `end`. */
  async until(end: string): Promise<string> {
    while (!this.#text.includes(end)) await new Promise<void>((done) => (this.#wake = done));
    const at = this.#text.indexOf(end) + end.length;
    const text = this.#text.slice(0, at);
    this.#text = this.#text.slice(at);
    return text;
  }

  async ask(line: string): Promise<string> {
    this.say(`${line}\n`);
    return (await this.until('\n')).trimEnd();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Listens at a path; gives the first that connects. */
function host(path: string): Promise<Peer> {
  return new Promise((done) => {
    const server = createServer((socket) => {
      server.close();
      done(new Peer(socket));
    });
    server.listen(path);
  });
}

describe('as libqtest starts it', () => {
  let qtest: Peer;
  let monitor: Peer;
  let exits = 0;

  beforeAll(async () => {
    const [qtestPath, monitorPath] = [join(folder, 'qtest-1.sock'), join(folder, 'qtest-1.qmp')];
    const peers = [host(qtestPath), host(monitorPath)];
    const args = parseQemuArguments(
      `-qtest unix:${qtestPath} -qtest-log /dev/null -chardev socket,path=${monitorPath},id=char0 -mon chardev=char0,mode=control -display none -machine q35,pit=off -m 64M -accel qtest`.split(
        ' ',
      ),
    );
    const served = serve(makeMachine(args, 'some-system-x86_64', '.'), args, () => exits++);
    [qtest, monitor] = (await Promise.all(peers)) as [Peer, Peer];
    await served;
  });
  afterAll(() => {
    monitor.close();
  });

  it('Q-91, Q-93: connects to both sockets and answers endianness', async () => {
    expect(await qtest.ask('endianness')).toBe('OK little');
  });

  it('Q-94: greets on the monitor, negotiates, knows its commands and refuses others', async () => {
    expect(JSON.parse(await monitor.until('\r\n'))).toEqual({
      QMP: { version: { qemu: { micro: 22, minor: 2, major: 7 }, package: 'guestmem' }, capabilities: ['oob'] },
    });
    monitor.say('{"execute": "query-status"}');
    expect(JSON.parse(await monitor.until('\r\n')).error.class).toBe('CommandNotFound');
    monitor.say('{"execute": "qmp_capabilities"}');
    expect(await monitor.until('\r\n')).toBe('{"return":{}}\r\n');
    monitor.say('{"execute": "device_del", "id": 7}{"execute": "query-status"}');
    expect(JSON.parse(await monitor.until('\r\n'))).toEqual({
      error: { class: 'CommandNotFound', desc: 'The command device_del has not been found' },
      id: 7,
    });
    expect(JSON.parse(await monitor.until('\r\n')).return.status).toBe('running');
    monitor.say(']');
    expect(JSON.parse(await monitor.until('\r\n')).error.class).toBe('GenericError');
  });

  it('shows its map on the monitor, as QEMU prints it', async () => {
    monitor.say('{"execute": "human-monitor-command", "arguments": {"command-line": "info mtree -f"}}');
    const text: string = JSON.parse(await monitor.until('\r\n')).return;
    expect(text).toContain('  00000000fed00000-00000000fed003ff (prio 0, i/o): hpet\r\n');
  });

  it('T-197: says that it does not know owners, instead of calling every region an orphan', async () => {
    monitor.say('{"execute": "human-monitor-command", "arguments": {"command-line": "info mtree -o -D"}}');
    const text: string = JSON.parse(await monitor.until('\r\n')).return;
    expect(text).toBe('info mtree: no -o here, the machines do not tell who owns a region\r\n');
  });

  it('Q-64, Q-96, Q-97: interrupt lines come before the reply that caused them; inb 0x0 is answered', async () => {
    expect(await qtest.ask('irq_intercept_in ioapic')).toBe('OK');
    for (const line of [
      'writel 0xfed00108 0x64',
      'writel 0xfed0010c 0x0',
      'writel 0xfed00100 0x2004',
      'writel 0xfed00010 0x1',
    ])
      expect(await qtest.ask(line)).toBe('OK');
    qtest.say('clock_step 1000\ninb 0x0\n');
    expect(await qtest.until('OK 1000\n')).toBe('IRQ raise 16\nIRQ lower 16\nOK 1000\n');
    expect(await qtest.until('\n')).toMatch(/^OK 0x/);
  });

  it('Q-31: serves the monitor while a memset of gigabytes is under way, and answers in order', async () => {
    const order: string[] = [];
    qtest.say('memset 0x0 0x1000000000 0x5a\nreadb 0x3ffffff\nendianness\n');
    const done = qtest.until('OK little\n').then((text) => {
      order.push('qtest');
      return text;
    });
    for (let i = 0; i < 3; i++) {
      monitor.say('{"execute": "query-status"}');
      expect(JSON.parse(await monitor.until('\r\n')).return.status).toBe('running');
    }
    order.push('monitor');
    expect(await done).toBe('OK\nOK 0x000000000000005a\nOK little\n');
    expect(order).toEqual(['monitor', 'qtest']);
  }, 60_000);

  it('Q-71: a reset by the monitor leaves the clock', async () => {
    monitor.say('{"execute": "system_reset"}');
    await monitor.until('{"return":{}}');
    expect(await qtest.ask('readl 0xfed00010')).toBe('OK 0x0000000000000000');
    expect(await qtest.ask('clock_step 1')).toBe('OK 1001');
  });

  it('Q-8: lives while a monitor can reach it, and ends when the last of its clients has closed its socket', async () => {
    qtest.close();
    await new Promise((done) => setTimeout(done, 50));
    monitor.say('{"execute": "query-status"}');
    await monitor.until('"running"');
    expect(exits).toBe(0);
    monitor.close();
    await vi.waitFor(() => expect(exits).toBe(1));
  });
});

describe('as a listening server', () => {
  it('Q-9: the machine goes on when a client leaves; the next one finds what the last one wrote', async () => {
    const path = join(folder, 'listen.sock');
    const args = parseQemuArguments(['-M', 'q35', '-qtest', `unix:${path},server=on,wait=off`, '-qtest-log', 'none']);
    await serve(makeMachine(args, undefined, '.'), args);
    const first = new Peer(connect(path));
    expect(await first.ask('writel 0x1000 0x12345678')).toBe('OK');
    first.close();
    const second = new Peer(connect(path));
    expect(await second.ask('readl 0x1000')).toBe('OK 0x0000000012345678');
    second.close();
  });

  it('Q-9: clients that come while one is there wait for their turn, in order, as in QEMU 7.2', async () => {
    const path = join(folder, 'turns.sock');
    const args = parseQemuArguments(['-M', 'q35', '-qtest', `unix:${path},server=on,wait=off`, '-qtest-log', 'none']);
    await serve(makeMachine(args, undefined, '.'), args);
    const [first, gone, last] = Array.from({ length: 3 }, () => new Peer(connect(path)));
    expect(await first!.ask('writel 0x1000 1')).toBe('OK');
    gone!.say('writel 0x1000 2\n'); // Is done in its turn, though it does not wait for the reply.
    gone!.close();
    const answer = last!.ask('readl 0x1000');
    expect(await first!.ask('readl 0x1000')).toBe('OK 0x0000000000000001');
    first!.close();
    expect(await answer).toBe('OK 0x0000000000000002');
    last!.close();
  });
});

describe('arguments', () => {
  it.each([
    ['-smp 4', "the argument '-smp' is not modelled here"],
    ['-M q35,vmport=on', "the option 'vmport' of machine q35 is not modelled here"],
    ['-M q35 -device e1000', '-device e1000 is not modelled here; edu is'],
    ['-M q35 -device edu,romfile=x', '-device edu,romfile=... is not modelled here'],
    ['-M q35 -global hpet.lots=1', 'only hpet.timers'],
    ['-M q35 -global hpet.timers=lots', "hpet.timers must be 0 to 255, not 'lots'"],
    ['-M q35 -m lots', '-m lots: not a size'],
    ['-M q35 -m 2T', 'RAM must be'],
    ['-M q35 -accel kvm', '-accel kvm is not modelled here'],
    ['-M q35 -qtest tcp:localhost:1', 'only stdio and unix'],
    ['-M q35 -bios /nowhere/x.bin', 'cannot read the firmware /nowhere/x.bin'],
    ['-M pc -device edu', 'use -M q35'],
    ['-M q35 -device edu,addr=0', 'PCI slot 0 is taken'],
    ['-M q35 -device edu,addr=40', "'40' is not a PCI slot"],
    ['-M q35 -device edu,addr=0.1', 'PCI slot 0 has function 0 already'],
    ['-M q35 -device edu,addr=4 -device edu,addr=4.2', 'PCI slot 4 has function 0 already'],
    ['-M q35 -device edu,addr=4.1 -device edu,addr=4', 'PCI slot 4 has function 1 already'],
    ['-M q35 -device edu,addr=1.1 -device edu', 'PCI slot 1 has function 1 already'],
    ['-M nosuch', "the machine 'nosuch' is not modelled here"],
    ['-M virt', 'choose with --program'],
    ['-m 64M', 'which machine?'],
    ['-m', "the argument '-m' needs a value"],
  ])('Q-99: %s is refused in a sentence', (text, reason) => {
    expect(() => makeMachine(parseQemuArguments(text.split(' ')), undefined, '.')).toThrow(reason);
  });

  it.each([
    '-device edu,addr=1f.1 -device edu,addr=1f.4',
    '-device edu,addr=1.1 -device edu,addr=1.2',
    '-device edu,addr=1.1 -device edu,addr=2 -device edu,addr=3',
  ])('Q-99: functions that QEMU takes in one slot are taken: %s', (cards) => {
    expect(() => makeMachine(parseQemuArguments(`-M q35 ${cards}`.split(' ')), undefined, '.')).not.toThrow();
  });

  it('sizes, options and properties are read as QEMU reads them', () => {
    const args = parseQemuArguments(
      '--machine type=q35,accel=qtest,hpet=off -m size=6G -device edu,addr=0x4.0 -device edu,dma_mask=0xffff -global edu.dma_mask=1'.split(
        ' ',
      ),
    );
    expect(args).toMatchObject({
      machine: 'q35',
      ramBytes: 6n << 30n,
      cards: [{ devfn: 0x20, dmaMask: 1n }, { dmaMask: 0xffffn }],
      accel: 'qtest',
    });
    expect(args.machineOptions.get('hpet')).toBe(false);
    expect([args.stopped, parseQemuArguments(['-S']).stopped]).toEqual([false, true]);
    expect(parseQemuArguments(['-m', '256']).ramBytes).toBe(256n << 20n);
    const bytes = ['8192B', '8193B', '100k', '33554433B', '0'].map((size) => parseQemuArguments(['-m', size]).ramBytes);
    expect(bytes).toEqual([0x2000n, 0x4000n, 0x1_a000n, 0x200_2000n, undefined]); // QEMU rounds up to 8 KiB
  });

  it('H-3: the board replaces a route capability whose low byte is 0', () => {
    const intcap = (value: string): number => {
      const machine = makeMachine(
        parseQemuArguments(['-M', 'q35', '-global', `hpet.hpet-intcap=${value}`]),
        undefined,
        '.',
      );
      const bytes = new Uint8Array(4);
      machine.memory.readSlice(bytes, 0xfed0_0104);
      return new DataView(bytes.buffer).getUint32(0, true);
    };
    expect(intcap('0x00c0ffee')).toBe(0x00c0_ffee);
    expect(intcap('0x00f00000')).toBe(0x00ff_0104);
  });

  it('a machine that a definition spoils is a MachineError', () => {
    const definition = findMachine('q35', undefined);
    const spoilt = { ...definition, ram: { ...definition.ram, block: 'nothing' } };
    const args = parseQemuArguments([]);
    expect(() => new Machine(spoilt, machineConfig(spoilt, args))).toThrow(MachineError);
  });
});
