/**
 * Makes packages/cli/captures/machines/*.json: the region tree of a real QEMU's machine (captures of `info mtree -D`), the
 * configuration space of its PCI functions (asked of the real program), and the recipes' table of what is modelled where.
 *
 *   node -C dist dist/make-machines.js CAPTURES OUTPUT
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import type { MachineDefinition, PlacedFunction } from '@guestmem/devices';
import { parseMtree } from '@guestmem/qemu-memory';
import { RECIPES, type Recipe } from './machine-recipes.ts';

const [captures, output] = argv.slice(2);
if (captures === undefined || output === undefined) throw new Error('usage: make-machines CAPTURES OUTPUT');
mkdirSync(output, { recursive: true });
for (const recipe of RECIPES) {
  const { file, answers, empty, readonly, pci, ...rest } = recipe;
  const definition: MachineDefinition = {
    format: 'guestmem-machine',
    version: 1,
    ...rest,
    ...(pci !== undefined && { pci: { ...pci, functions: pci.functions.map((f) => capture(recipe, ...f)) } }),
    map: mapOf(recipe),
  };
  writeFileSync(join(output, `${file}.json`), text(definition));
  console.log(`${file}: ${definition.map.regions.length} regions`);
}

function mapOf(recipe: Recipe): MachineDefinition['map'] {
  const [disabled, plain] = ['disabled', 'mtree'].map((kind) => join(captures!, `${recipe.file}.${kind}`));
  const dump = readFileSync(existsSync(disabled!) ? disabled! : plain!, 'utf8');
  const lines = (names: readonly string[] = []): number[] =>
    dump
      .split('\n')
      .flatMap((line, i) =>
        names.some((name) => line.includes(`): ${name}`) && nameOf(line) === name) ? [i + 1] : [],
      );
  const readonlyAliases = dump
    .split('\n')
    .flatMap((line, i) => (recipe.readonly?.some((name) => line.includes(`: alias ${name} @`)) ? [i + 1] : []));
  const facts = { answers: lines(recipe.answers), empty: lines(recipe.empty), readonly: readonlyAliases };
  const map = parseMtree(dump, { facts });
  return { ...map, regions: map.regions.map(({ lines: _, ...region }) => region) };
}

function nameOf(line: string): string {
  return line.replace(/^.*\): /, '').replace(/ \[disabled\]$/, '');
}

/**
 * Reads a function's 256 bytes, writes ones everywhere and zeros again to learn what a guest can change, and resets the machine
 * after zeros and after ones to learn what it keeps.
 */
function capture(recipe: Recipe, devfn: number, model: string, name: string): PlacedFunction {
  const script: string[] = [];
  const [outAddress, outData, inData] = ['outl 0xcf8', 'outl 0xcfc', 'inl 0xcfc'];
  const memory = recipe.file === 'g3beige';
  const address = (offset: number): string => {
    const value = 0x8000_0000 + (devfn << 8) + offset;
    return memory ? `writel 0xfec00000 ${unsigned(swapNumber(value))}` : `${outAddress} ${unsigned(value)}`;
  };
  const write = (value: number): string =>
    memory ? `writel 0xfee00000 ${unsigned(swapNumber(value))}` : `${outData} ${unsigned(value)}`;
  const read = memory ? 'readl 0xfee00000' : inData;
  for (let offset = 0; offset < 256; offset += 4) script.push(address(offset), read);
  for (let offset = 0; offset < 256; offset += 4)
    script.push(address(offset), write(0xffff_ffff), read, write(0), read);
  if (!memory) {
    for (const value of [0, 0xffff_ffff]) {
      for (let offset = 0; offset < 256; offset += 4) script.push(address(offset), write(value));
      // The reset comes when the portion of 1024 bytes that it stands in has been answered (Q-7).
      script.push('outb 0xcf9 0x06', ...new Array(200).fill('endianness'));
      for (let offset = 0; offset < 256; offset += 4) script.push(address(offset), read);
    }
  }
  const args = ['-M', recipe.name, '-m', '64M', '-accel', 'tcg', '-S', '-nodefaults', '-display', 'none'];
  const qemu = spawnSync(recipe.program, [...args, '-qtest', 'stdio', '-qtest-log', 'none'], {
    input: `${script.join('\n')}\n`,
    encoding: 'utf8',
    timeout: 5000,
  });
  const values = qemu.stdout
    .split('\n')
    .filter((line) => line.startsWith('OK 0x'))
    .map((line) => Number(line.slice(3)))
    .map((value) => (memory ? swapNumber(value) : value));
  if (values.length !== 64 * (memory ? 3 : 5))
    throw new Error(`${recipe.program}: ${values.length} replies\n${qemu.stderr}`);
  const config: string[] = [];
  const writable: string[] = [];
  const kept: string[] = [];
  for (let i = 0; i < 64; i++) {
    config.push(bytes(values[i]!));
    writable.push(bytes((values[64 + 2 * i]! ^ values[65 + 2 * i]!) >>> 0));
    // A bit that was 1 at power-on and is 0 after the first reset was kept, and one that was 0 and is 1 after the second.
    if (!memory) kept.push(bytes(((values[192 + i]! ^ values[i]!) | (values[256 + i]! ^ values[i]!)) >>> 0));
  }
  return {
    devfn,
    model,
    name,
    config: config.join(''),
    writable: writable.join(''),
    ...(!memory && { kept: kept.join('') }),
  };
}

function swapNumber(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

function unsigned(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** A little-endian word as hex digits in address order. */
function bytes(word: number): string {
  return swapNumber(word).toString(16).padStart(8, '0');
}

/** JSON with one region a line, so that a difference can be read. */
function text(definition: MachineDefinition): string {
  const { map, ...rest } = definition;
  const { regions, ...outer } = map;
  const list = (values: readonly unknown[]): string =>
    values.map((value) => `      ${JSON.stringify(value)}`).join(',\n');
  const head = JSON.stringify(rest, null, 2).replace(/\n}$/, '');
  const shell = JSON.stringify(outer).slice(0, -1);
  return `${head},\n  "map": ${shell},\n    "regions": [\n${list(regions)}\n    ]\n  }\n}\n`;
}
