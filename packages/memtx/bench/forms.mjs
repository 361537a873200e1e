/**
 * The forms of the RFC's discussion that the README shows (A-250 a to h, A-260 a to g), over the same RAM, against the
 * bound view: what each costs per 32-bit load or store.
 */
import {
  attributed,
  be32,
  fromDevice,
  le32,
  MemTx,
  memTxAttrs,
  memTxView,
  nativeCodecs,
  reverse32,
} from '@guestmem/memtx';
import { guestMemory, HOST_BYTE_ORDER, Permissions, u32 } from '@guestmem/vm-memory';

const BASE = 0x1_0000;
const MASK = 0xffff;

function machine() {
  const ram = guestMemory([{ startAddr: BASE, memory: MASK + 1 }]);
  for (let i = 0; i <= MASK; i += 4) ram.store(BASE + i, le32, (i * 0x101) & 0x7fffffff);
  return { ram, memory: attributed(ram), attrs: memTxAttrs({ requesterId: 0x20 }) };
}

const row = (group, name, make) => ({ group, name, make });

/** A load form: `load(addr)` is inlined into the loop of its row. */
const loads = (group, name, make) =>
  row(group, name, () => {
    const load = make(machine());
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + load(BASE + ((i * 4) & MASK))) | 0;
      return sum;
    };
  });

const stores = (group, name, make) =>
  row(group, name, () => {
    const { ram, memory, attrs } = machine();
    const store = make({ ram, memory, attrs });
    return (n) => {
      for (let i = 0; i < n; i++) store(BASE + ((i * 4) & MASK), i & 0xff);
      store(BASE, 0x11223344);
      return ram.load(BASE, be32);
    };
  });

export const forms = [
  loads('attributes', 'h bound view: dma.load(addr, le32)', ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20 });
    return (addr) => dma.load(addr, le32);
  }),
  loads('attributes', 'a UNSPECIFIED only: view.load(addr, le32)', ({ memory }) => {
    const view = memTxView(memory);
    return (addr) => view.load(addr, le32);
  }),
  loads('attributes', 'b arguments: memory.txLoad(addr, le32, attrs, tx)', ({ memory, attrs }) => {
    const tx = new MemTx();
    return (addr) => memory.txLoad(addr, le32, attrs, tx);
  }),
  loads('attributes', 'c tuple with mode: load([addr, READ, attrs], le32)', ({ memory, attrs }) => {
    const tuples = {
      load([addr, mode, attrs], codec) {
        if (mode !== Permissions.READ) throw new TypeError('a load reads');
        return memory.txLoad(addr, codec, attrs, null);
      },
    };
    return (addr) => tuples.load([addr, Permissions.READ, attrs], le32);
  }),
  loads('attributes', 'd tuple: load([addr, attrs], le32)', ({ memory, attrs }) => {
    const tuples = { load: ([addr, attrs], codec) => memory.txLoad(addr, codec, attrs, null) };
    return (addr) => tuples.load([addr, attrs], le32);
  }),
  loads('attributes', 'e permissions: getSlices(addr, 4, READ)', ({ ram }) => (addr) => {
    let value = 0;
    for (const slice of ram.getSlices(addr, 4, Permissions.READ)) value = slice.load(0, le32);
    return value;
  }),
  loads('attributes', 'f tryAccess(4, addr, READ, attrs, callback)', ({ ram, attrs }) => {
    function tryAccess(count, addr, access, attrs, f) {
      let done = 0;
      for (const slice of ram.getSlices(addr, count, access)) done += f(done, slice, attrs);
      return done;
    }
    return (addr) => {
      let value = 0;
      tryAccess(4, addr, Permissions.READ, attrs, (_done, slice) => {
        value = slice.load(0, le32);
        return slice.length;
      });
      return value;
    };
  }),
  loads('attributes', 'g for (const { slice, attrs } of chunks(...))', ({ ram, attrs }) => {
    function* chunks(addr, len, access, attrs) {
      for (const slice of ram.getSlices(addr, len, access)) yield { slice, attrs };
    }
    return (addr) => {
      let value = 0;
      for (const { slice } of chunks(addr, 4, Permissions.READ, attrs)) value = slice.load(0, le32);
      return value;
    };
  }),

  stores('byte order', 'd codec: dma.store(addr, le32, value)', ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20 });
    return (addr, value) => dma.store(addr, le32, value);
  }),
  stores('byte order', 'd value: storeValue(addr, new Le32(value))', ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20 });
    class Le32 {
      constructor(value) {
        this.value = value;
      }
      get codec() {
        return le32;
      }
    }
    const storeValue = (addr, value) => dma.store(addr, value.codec, value.value);
    return (addr, value) => storeValue(addr, new Le32(value));
  }),
  stores('byte order', "view: stl(addr, value), order 'little'", ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20, order: 'little' });
    return (addr, value) => dma.stl(addr, value);
  }),
  stores('byte order', 'a caller converts: store(addr, u32, convert(value))', ({ memory }) => {
    const dma = memTxView(memory);
    const target = process.argv.includes('never') ? 'big' : 'little';
    return (addr, value) => dma.store(addr, u32, HOST_BYTE_ORDER === target ? value : reverse32(value));
  }),
  stores('byte order', "b tuple: store([addr, attrs, 'little'], 4, value)", ({ memory, attrs }) => {
    const ordered = {
      store([addr, attrs, order], size, value) {
        const { u16, u32 } = nativeCodecs(order);
        memory.txStore(addr, size === 2 ? u16 : u32, value, attrs, null);
      },
    };
    return (addr, value) => ordered.store([addr, attrs, 'little'], 4, value);
  }),
  stores('byte order', 'c generic code asks the codec for its order', ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20 });
    const store = (codec, addr, value) => dma.store(addr, codec.littleEndian ? le32 : be32, value);
    return (addr, value) => store(le32, addr, value);
  }),
  stores('byte order', 'e toDevice and fromDevice, then the bytes', ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20 });
    return (addr, value) => dma.store(addr, le32, fromDevice(le32, value, 'little'));
  }),
  stores('byte order', 'f bytes: dma.writeSlice(bytes, addr)', ({ memory }) => {
    const dma = memTxView(memory, { requesterId: 0x20 });
    const bytes = new Uint8Array(4);
    const data = new DataView(bytes.buffer);
    return (addr, value) => {
      data.setUint32(0, value, true);
      dma.writeSlice(bytes, addr);
    };
  }),
];
