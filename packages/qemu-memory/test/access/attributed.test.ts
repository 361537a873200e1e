/** `attributed` of memtx over an address space, which has attributes of its own. */
import { attributed, le32, MemTxResult, memTxAttrs, memTxView } from '@guestmem/memtx';
import { expect, it } from 'vitest';
import { MemoryCore } from '../../src/index.ts';

/** A device of 16 bytes that tells who asks, and answers every read of register 4 with `failure`. */
function machine(failure: MemTxResult) {
  const core = new MemoryCore();
  const root = core.container('root', 0x1000);
  const asked: [offset: number, size: number, requesterId: number][] = [];
  root.addSubregion(
    0,
    core.io('device', 0x10, {
      readWithAttrs(offset, size, attrs, tx) {
        asked.push([offset, size, attrs.requesterId]);
        if (offset === 4) tx.result = failure;
        return 0;
      },
    }),
  );
  return { space: core.addressSpace(root), asked };
}

it.each([MemTxResult.ERROR, MemTxResult.DECODE_ERROR, MemTxResult.ACCESS_ERROR])(
  'A-61, A-276: a device that answers %i is asked once for each part of a transfer, with the attributes',
  (failure) => {
    const { space, asked } = machine(failure);
    const view = memTxView(attributed(space), { requesterId: 0x20, onError: 'continue' });
    expect([view.read(new Uint8Array(12), 0), view.tx.result]).toEqual([4, failure]);
    expect(asked).toEqual([
      [0, 4, 0x20],
      [4, 4, 0x20],
      [8, 4, 0x20],
    ]);
    asked.length = 0;
    view.load(4, le32, memTxAttrs({ requesterId: 0x21 }));
    expect(asked).toEqual([[4, 4, 0x21]]);
  },
);
