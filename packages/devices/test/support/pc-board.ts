/** A whole board, driven by lines of the test protocol. */
import { readFileSync } from 'node:fs';
import { Machine, machineConfig, parseQemuArguments, QtestServer } from '../../src/index.ts';

/** @param args of the program, after `-m 64M`; `-bios` gives firmware that begins with 11 22 33 44 and has 0 behind. */
export function pcBoard(name: 'pc' | 'q35' | 'malta' | 'maltael' | 'g3beige', ...args: string[]) {
  const file = new URL(`../../../cli/captures/machines/${name}.json`, import.meta.url);
  const definition = JSON.parse(readFileSync(file, 'utf8'));
  const parsed = parseQemuArguments(['-m', '64M', ...args]);
  const firmware = parsed.firmware === undefined ? null : new Uint8Array(0x1_0000);
  firmware?.set([0x11, 0x22, 0x33, 0x44]);
  const machine = new Machine(definition, machineConfig(definition, parsed), firmware);
  let text = '';
  const server = new QtestServer(machine, (lines) => {
    text += lines;
  });
  /** The replies to `lines` that are more than `OK`, each line a portion of its own, and the IRQ lines among them. */
  const say = (...lines: string[]): string[] => {
    text = '';
    for (const line of lines) server.feed(`${line}\n`);
    return text.split('\n').filter((line) => line !== '' && line !== 'OK');
  };
  /** The same, all of them in one portion: no turn of the loop comes between. */
  const sayAtOnce = (...lines: string[]): string[] => say(lines.join('\n'));
  return { machine, say, sayAtOnce };
}
