/** The running server: a machine, its qtest channel, its monitor's, real time for what goes on beside virtual time. */
import { driveByRealTime, type Machine, type QemuArguments, QmpServer, QtestServer } from '@guestmem/devices';
import { openChannel } from './channel.ts';
import { eventReport } from './event-report.ts';
import { QtestLog } from './log.ts';
import { TURN_MS } from './portion-feeder.ts';

/**
 * Serves `machine` until the process is told to end, or no client can reach it any more, and reports its events on standard
 * error. The monitor is connected first, as QEMU does it.
 *
 * QEMU lives on behind the end of its input, as it may have displays, disks and networks to serve. This server has its channels and
 * nothing else: with standard input at its end, its reader gone, or the socket that it connected closed, it would wait for ever.
 *
 * @param exit ends the process.
 * @throws {UserError} a channel or the log cannot be opened.
 */
export async function serve(
  machine: Machine,
  args: QemuArguments,
  exit: () => void = () => process.exit(0),
): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, exit);
  process.once('exit', () => {
    for (const line of eventReport(machine.events.entries())) process.stderr.write(`${line}\n`);
  });
  let waysIn = args.monitor === undefined ? 1 : 2;
  const unreachable = (): void => {
    waysIn--;
    if (waysIn === 0) exit();
  };
  // A server that listens lives without a client.
  const alive = setInterval(() => {}, 0x7fff_ffff);
  try {
    const hostTime = driveByRealTime(machine.hostClock, {
      nowMs: () => performance.now(),
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (handle) => clearTimeout(handle),
    });
    if (args.monitor !== undefined)
      await openChannel(args.monitor, ({ write }) => {
        const monitor = new QmpServer(machine, write, { quit: () => setImmediate(exit), stopped: args.stopped });
        return {
          connected: () => monitor.connected(),
          feed: (text) => monitor.feed(text),
          closed: () => {},
          unreachable,
        };
      });
    const log = args.qtestLog === 'none' ? null : new QtestLog(args.qtestLog);
    await openChannel(args.qtest ?? { kind: 'stdio' }, (channel) => {
      let turnEnds = 0;
      const turn = (act: () => void): void => {
        turnEnds = performance.now() + TURN_MS;
        act();
        hostTime.sync();
      };
      const server: QtestServer = new QtestServer(machine, channel.write, {
        clockCommands: args.accel === 'qtest',
        turns: {
          due: () => performance.now() >= turnEnds,
          rest: (resume) => {
            channel.hold();
            setImmediate(() => {
              turn(resume);
              if (!server.busy) channel.release();
            });
          },
        },
        ...(log !== null && { log: (direction, line) => log.message(direction, line) }),
      });
      return {
        connected: () => {
          server.connected();
          log?.opened();
        },
        feed: (text) => turn(() => server.feed(text)),
        closed: () => log?.closed(),
        unreachable,
      };
    });
  } catch (error) {
    clearInterval(alive);
    throw error;
  }
}
