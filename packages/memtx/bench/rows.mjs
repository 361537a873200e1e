/**
 * What is timed: one loop per row, each in a process of its own (access.mjs), so that no row sees what another has taught
 * the engine. All loads of a group walk the same 64 KiB and must give the same sum; all stores leave the same bytes.
 */
import {
  attributed,
  be32,
  GuestDataView,
  halvesCodec,
  le32,
  le64,
  le64n,
  MemTx,
  memTxAttrs,
  memTxView,
  nativeCodecs,
  pinnedView,
} from '@guestmem/memtx';
import { guestMemory } from '@guestmem/vm-memory';
import { forms } from './forms.mjs';

const BASE = 0x1_0000;
const MASK = 0xffff;

function ram() {
  const bytes = new Uint8Array(MASK + 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = ((i >> 2) * 7) & 0x1f; // the four bytes of a word are equal, so both orders give one sum
  return guestMemory([{ startAddr: BASE, memory: bytes }]);
}

/** Not known when the code is compiled. */
const ORDER = process.argv.includes('--big') ? 'big' : 'little';
const dma = { requesterId: 0x20 };
const view = (options = dma) => memTxView(attributed(ram()), options);

/** group, name, and a function that makes the loop. The first row of a group is what its others are compared with. */
export const rows = [
  row('load', 'unbound memory.load(addr, le32)', () => {
    const memory = ram();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + memory.load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', 'view.load(addr, le32)', () => {
    const dev = view();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', "view.ldl(addr), order 'little' bound", () => {
    const dev = view({ ...dma, order: 'little' });
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.ldl(BASE + ((i * 4) & MASK))) | 0;
      return sum;
    };
  }),
  row('load', 'view bound to a MemTx, result tested', () => {
    const dev = view({ ...dma, onError: 'continue' });
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const value = dev.load(BASE + ((i * 4) & MASK), le32);
        if (dev.tx.result === 0) sum = (sum + value) | 0;
      }
      return sum;
    };
  }),
  row('load', 'pinned view.load(addr, le32)', () => {
    const memory = ram();
    const dev = pinnedView({ memory: () => memory }, dma);
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', 'two views in turn', () => {
    const memory = attributed(ram());
    const dev = [memTxView(memory, dma), memTxView(memory, { requesterId: 0x28 })];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev[i & 1].load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', 'unbound, two memories in turn, for the next row', () => {
    const memory = [ram(), ram()];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + memory[i & 1].load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', 'views of two memories in turn', () => {
    const dev = [view(), view()];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev[i & 1].load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', 'per call: interned attributes', () => {
    const dev = view();
    const attrs = memTxAttrs({ requesterId: 0x20, pid: 7 });
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), le32, attrs)) | 0;
      return sum;
    };
  }),
  row('load', 'per call: a MemTx', () => {
    const dev = view();
    const tx = new MemTx();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const value = dev.load(BASE + ((i * 4) & MASK), le32, tx);
        if (tx.result === 0) sum = (sum + value) | 0;
      }
      return sum;
    };
  }),
  row('load', 'per call: { attrs, tx }, both made before', () => {
    const dev = view();
    const attrs = memTxAttrs({ requesterId: 0x20, pid: 7 });
    const tx = new MemTx();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const value = dev.load(BASE + ((i * 4) & MASK), le32, { attrs, tx });
        if (tx.result === 0) sum = (sum + value) | 0;
      }
      return sum;
    };
  }),
  row('load', 'per call: fields { pid }', () => {
    const dev = view();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), le32, { pid: 7 })) | 0;
      return sum;
    };
  }),
  row('load', 'a view made for each access', () => {
    const dev = view();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.with({ pid: 7 }).load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('load', 'GuestDataView.getUint32(index, true)', () => {
    const data = new GuestDataView(view(), BASE, MASK + 1);
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + data.getUint32((i * 4) & MASK, true)) | 0;
      return sum;
    };
  }),
  row('load', 'DataView.getUint32(index, true), no guest memory', () => {
    const bytes = new Uint8Array(MASK + 1);
    ram().readSlice(bytes, BASE);
    const data = new DataView(bytes.buffer);
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + data.getUint32((i * 4) & MASK, true)) | 0;
      return sum;
    };
  }),
  row('load', 'view.readObj(addr, le32)', () => {
    const dev = view();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.readObj(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),

  row('order', 'view.load(addr, le32)', () => {
    const dev = view();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), le32)) | 0;
      return sum;
    };
  }),
  row('order', 'view.load(addr, codec), le32 and be32 in turn', () => {
    const dev = view();
    const codecs = [le32, be32];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), codecs[i & 1])) | 0;
      return sum;
    };
  }),
  row('order', 'view.load(addr, native.u32), order from outside', () => {
    const dev = view();
    const native = nativeCodecs(ORDER);
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 4) & MASK), native.u32)) | 0;
      return sum;
    };
  }),
  row('order', 'view.ldl(addr), order from outside', () => {
    const dev = view({ ...dma, order: ORDER });
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.ldl(BASE + ((i * 4) & MASK))) | 0;
      return sum;
    };
  }),
  row('order', 'views of one order in turn, for the next row', () => {
    const memory = attributed(ram());
    const dev = [memTxView(memory, { order: 'little' }), memTxView(memory, { order: 'little' })];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev[i & 1].ldl(BASE + ((i * 4) & MASK))) | 0;
      return sum;
    };
  }),
  row('order', 'view.ldl(addr), views of both orders in turn', () => {
    const memory = attributed(ram());
    const dev = [memTxView(memory, { order: 'little' }), memTxView(memory, { order: 'big' })];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev[i & 1].ldl(BASE + ((i * 4) & MASK))) | 0;
      return sum;
    };
  }),
  row('order', 'view.ldl(addr, order), order given per call', () => {
    const dev = view();
    const orders = ['little', 'big'];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.ldl(BASE + ((i * 4) & MASK), orders[i & 1])) | 0;
      return sum;
    };
  }),
  row('order', 'view.ldl(addr, { order }), the same in an object', () => {
    const dev = view();
    const orders = [{ order: 'little' }, { order: 'big' }];
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.ldl(BASE + ((i * 4) & MASK), orders[i & 1])) | 0;
      return sum;
    };
  }),

  row('store', 'unbound memory.store(addr, le32, v)', () => {
    const memory = ram();
    return (n) => {
      for (let i = 0; i < n; i++) memory.store(BASE + ((i * 4) & MASK), le32, i & 0xff);
      return 0;
    };
  }),
  row('store', 'view.store(addr, le32, v)', () => {
    const dev = view();
    return (n) => {
      for (let i = 0; i < n; i++) dev.store(BASE + ((i * 4) & MASK), le32, i & 0xff);
      return 0;
    };
  }),
  row('store', "view.stl(addr, v), order 'little' bound", () => {
    const dev = view({ ...dma, order: 'little' });
    return (n) => {
      for (let i = 0; i < n; i++) dev.stl(BASE + ((i * 4) & MASK), i & 0xff);
      return 0;
    };
  }),
  row('store', 'view bound to a MemTx', () => {
    const dev = view({ ...dma, onError: 'continue' });
    return (n) => {
      let bad = 0;
      for (let i = 0; i < n; i++) {
        dev.store(BASE + ((i * 4) & MASK), le32, i & 0xff);
        bad |= dev.tx.result;
      }
      return bad;
    };
  }),
  row('store', 'GuestDataView.setUint32(index, v, true)', () => {
    const data = new GuestDataView(view(), BASE, MASK + 1);
    return (n) => {
      for (let i = 0; i < n; i++) data.setUint32((i * 4) & MASK, i & 0xff, true);
      return 0;
    };
  }),
  row('store', 'view.writeObj(addr, le32, v)', () => {
    const dev = view();
    return (n) => {
      for (let i = 0; i < n; i++) dev.writeObj(BASE + ((i * 4) & MASK), le32, i & 0xff);
      return 0;
    };
  }),

  row('64 bits', 'unbound memory.load(addr, le64n)', () => {
    const memory = guestMemory([{ startAddr: BASE, memory: MASK + 1 }]);
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + memory.load(BASE + ((i * 8) & MASK), le64n)) | 0;
      return sum;
    };
  }),
  row('64 bits', 'view.load(addr, le64n)', () => {
    const dev = memTxView(attributed(guestMemory([{ startAddr: BASE, memory: MASK + 1 }])), dma);
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + dev.load(BASE + ((i * 8) & MASK), le64n)) | 0;
      return sum;
    };
  }),
  row('64 bits', 'view.load(addr, halves)', () => {
    const dev = memTxView(attributed(guestMemory([{ startAddr: BASE, memory: MASK + 1 }])), dma);
    const halves = halvesCodec('little');
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const pair = dev.load(BASE + ((i * 8) & MASK), halves);
        sum = (sum + pair.lo + pair.hi) | 0;
      }
      return sum;
    };
  }),
  row('64 bits', 'view.load(addr, le64), a bigint', () => {
    const dev = memTxView(attributed(guestMemory([{ startAddr: BASE, memory: MASK + 1 }])), dma);
    return (n) => {
      let sum = 0n;
      for (let i = 0; i < n; i++) sum += dev.load(BASE + ((i * 8) & MASK), le64);
      return Number(sum);
    };
  }),

  ...forms,
];

function row(group, name, make) {
  return { group, name, make };
}
