/** Random accesses through random views against one array of bytes: what is written is what is read, however it is asked for. */
import { attributed, GuestDataView, memTxView, nativeCodecs } from '@guestmem/memtx';
import { type ByteOrder, guestMemory, type ScalarCodec } from '@guestmem/vm-memory';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bus, ByteDevice } from './support/bus.ts';

const LENGTH = 64;
const access = fc.record({
  how: fc.constantFrom('load', 'store', 'readObj', 'writeObj', 'read', 'write', 'get', 'set'),
  at: fc.nat(LENGTH - 8),
  size: fc.constantFrom(1, 2, 4, 8),
  order: fc.constantFrom<ByteOrder>('little', 'big'),
  bytes: fc.uint8Array({ minLength: 8, maxLength: 8 }),
});

const backends = {
  'plain memory of two regions': () =>
    attributed(
      guestMemory([
        { startAddr: 0, memory: 24 },
        { startAddr: 24, memory: LENGTH - 24 },
      ]),
    ),
  'little device': () => deviceBus('little'),
  'big device': () => deviceBus('big'),
};

function deviceBus(order: ByteOrder): Bus {
  const bus = new Bus();
  bus.device(0, new ByteDevice(LENGTH, order));
  return bus;
}

it.each(Object.entries(backends))('A-275: A-16: %s behaves as one string of bytes', (name, make) => {
  fc.assert(
    fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
      const view = memTxView(make());
      const data = new GuestDataView(view, 0, LENGTH);
      const model = new Uint8Array(LENGTH);
      for (const { how, at: anywhere, size, order, bytes } of accesses) {
        // A single access is never split: it must be aligned at these devices, and not lie over the end of a region.
        const single = how === 'load' || how === 'store';
        const at = single || name.includes('device') ? anywhere - (anywhere % size) : anywhere;
        if (single && at < 24 && at + size > 24) continue;
        const codec = nativeCodecs(order)[`u${8 * size}` as 'u32'] as unknown as ScalarCodec<number | bigint>;
        const digits = [...(order === 'big' ? bytes.slice(0, size) : bytes.slice(0, size).reverse())];
        const value = BigInt(`0x${digits.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
        const shown = size === 8 ? value : Number(value);
        const suffix = size === 8 ? 'BigUint64' : `Uint${8 * size}`;
        const methods = data as unknown as Record<string, (...args: unknown[]) => unknown>;
        const now = model.slice(at, at + size);
        const stored = [...(order === 'big' ? now : now.slice().reverse())];
        const current = BigInt(`0x${stored.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
        const expected = size === 8 ? current : Number(current);
        if (how === 'load') expect(view.load(at, codec)).toBe(expected);
        else if (how === 'readObj') expect(view.readObj(at, codec)).toBe(expected);
        else if (how === 'get') expect(methods[`get${suffix}`]!(at, order === 'little')).toBe(expected);
        else if (how === 'read') {
          const seen = new Uint8Array(size);
          view.readSlice(seen, at);
          expect(seen).toEqual(now);
        } else {
          if (how === 'store') view.store(at, codec, shown);
          else if (how === 'writeObj') view.writeObj(at, codec, shown);
          else if (how === 'set') methods[`set${suffix}`]!(at, shown, order === 'little');
          else view.writeSlice(bytes.subarray(0, size), at);
          model.set(bytes.subarray(0, size), at);
        }
      }
      const all = new Uint8Array(LENGTH);
      view.readSlice(all, 0);
      expect(all).toEqual(model);
    }),
  );
});
