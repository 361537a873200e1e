/** The packages whose exports are public interface, and where they stand. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

export const LIBRARIES = ['vm-memory', 'memtx', 'qemu-memory', 'devices'];

export const folderOf = (name) => join(ROOT, 'packages', name);
