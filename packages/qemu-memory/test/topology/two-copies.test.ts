/** A program may hold this package twice: two versions of it, or one installed twice. */
import { MemoryCore } from '@guestmem/qemu-memory';
import { expect, it, vi } from 'vitest';

vi.resetModules();
const theirs = await import('@guestmem/qemu-memory');

it('T-20: a region of another copy is refused with the way out', () => {
  const stranger = new theirs.MemoryCore().ram('ram', 0x1000);
  const root = new MemoryCore().container('root', 0x1_0000);
  expect(() => root.addSubregion(0, stranger)).toThrow(
    'what is mapped in "root" must be a MemoryRegion, not a value of MemoryRegion made by another copy of @guestmem/qemu-memory: install one only (npm ls @guestmem/qemu-memory shows them)',
  );
});
