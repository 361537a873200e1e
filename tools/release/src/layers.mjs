/** The five packages in layer order, and what each may bring with it when it is installed alone. */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

export const LAYERS = ['vm-memory', 'memtx', 'qemu-memory', 'devices', 'cli'];

/** `layer` and the layers below it. */
export const withLower = (layer) => LAYERS.slice(0, LAYERS.indexOf(layer) + 1);

/** The one layer that depends on packages from outside. */
export const PROGRAM = 'cli';
