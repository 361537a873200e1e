/** What an edit checks before it changes anything, and the messages, which name both parties. T-1, T-2, T-51. */
import { badNumber, type GuestAddress, hex, LAST_ADDRESS, shown, toBigAddress } from '@guestmem/vm-memory';
import { SPACE_SIZE } from '../view/big.ts';
import { MemoryRegionError } from './error.ts';
import { RegionKind } from './kind.ts';
import { RegionLinks } from './links.ts';
import type { MemoryRegion } from './memory-region.ts';
import type { MemoryRegionOps } from './ops.ts';
import { RamBlock } from './ram-block.ts';
import type { MemoryRegionInit } from './region-init.ts';

/** A size as a bigint; 2^64 - 1 becomes 2^64 (T-2). @throws {RangeError} negative, fractional, above 2^64. */
export function size(value: GuestAddress): bigint {
  if (value === SPACE_SIZE) return SPACE_SIZE;
  const bytes = toBigAddress(value, 'size');
  return bytes === LAST_ADDRESS ? SPACE_SIZE : bytes;
}

/** An offset or address as a bigint. @throws {RangeError} not in 0 to 2^64 - 1. */
export function offset(value: GuestAddress, what: string): bigint {
  return toBigAddress(value, what);
}

/** @throws {RangeError} not a signed 32-bit integer (T-6). */
export function priority(value: number): void {
  if ((value | 0) !== value) throw badNumber('priority must be a signed 32-bit integer', value);
}

/** @throws {TypeError} an endianness that is none: it would be taken for one of the two. */
export function endianness(name: string, ops: MemoryRegionOps): void {
  const given = ops.endianness ?? 'native';
  if (given !== 'native' && given !== 'little' && given !== 'big')
    throw new TypeError(`region "${name}": endianness must be 'native', 'little' or 'big', not ${String(given)}`);
}

/** @throws {TypeError} a kind that is memory has no block of it. */
export function hasMemory({ kind, name, ram }: MemoryRegionInit): void {
  const needs = kind === RegionKind.RAM || kind === RegionKind.ROM_DEVICE || kind === RegionKind.RAM_DEVICE;
  if (needs && !(ram instanceof RamBlock))
    throw new TypeError(`region "${name}" is memory: \`ram\` must be a RamBlock, not ${shown(ram)}`);
}

/** @throws {TypeError} what should be a region is none. */
export function isRegion(value: MemoryRegion, what: string): void {
  const links = (value as MemoryRegion | null | undefined)?.links;
  if (links instanceof RegionLinks) return;
  const copy =
    ' made by another copy of @guestmem/qemu-memory: install one only (npm ls @guestmem/qemu-memory shows them)';
  throw new TypeError(`${what} must be a MemoryRegion, not ${shown(value)}${links === undefined ? '' : copy}`);
}

/** @throws {TypeError} no boolean: undefined would be kept as a state of its own. */
export function flag(value: boolean, what: string): void {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false, not ${shown(value)}`);
}

/** @throws {TypeError} a callback that must answer is an async function or a generator, whose value would be read as 0. */
export function answersAtOnce(name: string, ops: MemoryRegionOps): void {
  const { read, readWithAttrs, read64, read64WithAttrs, readHalves, peek } = ops;
  const answering = { read, readWithAttrs, read64, read64WithAttrs, readHalves, peek, accepts: ops.valid?.accepts };
  for (const [which, callback] of Object.entries(answering)) {
    const kind = functionKind(callback);
    if (kind !== undefined)
      throw new TypeError(
        `region "${name}": ${which} is of kind ${kind}; a callback must return its value at once, as the guest's access waits for it`,
      );
  }
}

/** @throws {TypeError} what edits in a transaction is no function, or one that ends later. */
export function isPlainFunction(edits: unknown): void {
  if (typeof edits !== 'function') throw new TypeError(`a transaction runs a function, not ${shown(edits)}`);
  const kind = functionKind(edits);
  if (kind !== undefined)
    throw new TypeError(`a transaction runs a plain function, not one of kind ${kind}, and was not begun; ${AT_ONCE}`);
}

/** @throws {TypeError} a transaction's function will go on later. */
export function isNoPromise(result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function')
    throw new TypeError(
      `a transaction does not wait for a promise: it ended when its function returned one; ${AT_ONCE}`,
    );
}

const AT_ONCE = 'await first and edit then, or open one with core.edit() and dispose of it when all is done';

/** AsyncFunction, GeneratorFunction or AsyncGeneratorFunction; plain functions have no tag. */
function functionKind(callback: unknown): string | undefined {
  return (callback as { readonly [Symbol.toStringTag]?: string } | undefined)?.[Symbol.toStringTag];
}

/** The region for a message: name, and where it is mapped. */
export function show(region: MemoryRegion): string {
  if (region.container === null) return named(region);
  return `${named(region)}, mapped in "${region.container.name}" at ${place(region)},`;
}

/** The region by its name. */
export function named(region: MemoryRegion): string {
  return region.name === '' ? `region #${region.id} (no name)` : `region "${region.name}"`;
}

/** `[first, last]` of the region in its container. */
function place(region: MemoryRegion): string {
  if (region.size === 0n) return `${hex(region.addr)} (empty)`;
  return `[${hex(region.addr)}, ${hex(region.addr + region.size - 1n)}]`;
}

/** @throws {MemoryRegionError} `disposed`, `in-callback`. */
export function mayEdit(region: MemoryRegion): void {
  if (region.disposed)
    throw new MemoryRegionError('disposed', `${show(region)} has been disposed of and cannot be edited`);
  region.core.checkEditable(region);
}

/** All that addSubregion refuses. */
export function mayAdd(container: MemoryRegion, child: MemoryRegion): void {
  mayEdit(container);
  isRegion(child, `what is mapped in "${container.name}"`);
  if (child.disposed)
    throw new MemoryRegionError(
      'disposed',
      `${show(child)} has been disposed of and cannot be mapped in "${container.name}"`,
    );
  sameCore(container.core, child, container.name);
  if (container.kind === RegionKind.ALIAS)
    throw new MemoryRegionError(
      'subregion-of-alias',
      `"${container.name}" is an alias and shows only its target: map "${child.name}" in the target "${container.target?.name}"`,
    );
  if (child.container !== null)
    throw new MemoryRegionError(
      'already-mapped',
      `${named(child)} is already mapped in "${child.container.name}" at ${place(child)}; remove it first, or map an alias of it in "${container.name}"`,
    );
  for (let at: MemoryRegion | null = container; at !== null; at = at.container)
    if (at === child)
      throw new MemoryRegionError(
        'container-cycle',
        `${named(child)} contains "${container.name}" and cannot be mapped in it; an alias of it can`,
      );
}

/** @throws {MemoryRegionError} `foreign-region`. */
export function sameCore(core: object, region: MemoryRegion, other: string): void {
  if (region.core !== core)
    throw new MemoryRegionError(
      'foreign-region',
      `${named(region)} belongs to another MemoryCore than "${other}"; share the RAM block, not the region`,
    );
}

/** The error of T-43. */
export function notASubregion(container: MemoryRegion, region: MemoryRegion): MemoryRegionError {
  const where = region.container === null ? 'not mapped anywhere' : `mapped in "${region.container.name}"`;
  return new MemoryRegionError(
    'not-a-subregion',
    `${named(region)} cannot be removed from "${container.name}": it is ${where}`,
  );
}

/** T-33, T-35: not while somebody can still reach it. */
export function mayDispose(region: MemoryRegion): void {
  region.core.checkEditable(region);
  const user = userOf(region);
  if (user !== null) throw new MemoryRegionError('still-used', `${named(region)} cannot be disposed of: it is ${user}`);
}

function userOf(region: MemoryRegion): string | null {
  if (region.container !== null) return `mapped in "${region.container.name}"`;
  const root = region.links.roots[0];
  if (root !== undefined) return `the root of address space "${root.name}"`;
  if (region.links.views > 0) return 'in a flat view that is in use or waits for its grace period';
  return null;
}
