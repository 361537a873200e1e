/**
 * Commands a second of a qtest server over pipes: in lock step, and with many commands on their way, ours and a real QEMU's.
 *
 *   node -C dist dist/measure.js [--command "readl 0xfed00000"] [--seconds 3]
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { argv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  args: argv.slice(2),
  options: { command: { type: 'string', default: 'readl 0xfed00000' }, seconds: { type: 'string', default: '3' } },
});
const cli = fileURLToPath(new URL('../bin/guestmem.mjs', import.meta.resolve('@guestmem/cli')));
const machine = '-M q35,pit=off -m 128M -qtest stdio -qtest-log none -display none -nodefaults'.split(' ');
const servers: [string, string, string[]][] = [
  ['guestmem qtest', execPath, ['-C', 'dist', cli, 'qtest', ...machine]],
  ['qemu-system-x86_64', 'qemu-system-x86_64', [...machine, '-accel', 'tcg', '-S']],
];

for (const [name, program, args] of servers) {
  for (const window of [1, 64]) {
    const rate = await measure(spawn(program, args), window);
    console.log(`${name.padEnd(20)} ${`${window} on the way`.padEnd(14)} ${Math.round(rate)} commands/s`);
  }
}

/** Keeps `window` commands on their way for some seconds. @returns replies a second. */
function measure(child: ChildProcessWithoutNullStreams, window: number): Promise<number> {
  const line = `${values.command}\n`;
  const ms = Number(values.seconds) * 1000;
  let replies = 0;
  let counting = 0;
  let since = 0;
  child.stdout.setEncoding('latin1');
  child.stdin.on('error', () => {});
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => fail(new Error(`the server ended with ${code}`)));
    child.stdout.on('data', (text: string) => {
      let lines = 0;
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
      replies += lines;
      // The first replies warm up both sides.
      if (counting === 0 && replies > 20_000) {
        counting = replies;
        since = performance.now();
      }
      if (counting > 0 && performance.now() - since > ms) {
        const rate = (replies - counting) / ((performance.now() - since) / 1000);
        child.removeAllListeners('exit');
        child.kill();
        done(rate);
        return;
      }
      child.stdin.write(line.repeat(lines));
    });
    child.stdin.write(line.repeat(window));
  });
}
