/**
 * What one access costs, by kind: each row is a setup and a loop of `n` accesses that returns a sum, so that nothing is
 * optimised away and rows that do the same work can be compared. All streams are 32-bit arithmetic.
 */
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { DirtyClient, IommuAccess, MemoryCore, memoryRegionResetDirty, PageIommu } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';

// A local copy of an imported binding is folded by V8; the binding itself costs 2 ns an access.
const LE32 = le32;
const ATTRS = MEMTXATTRS_UNSPECIFIED;
const MIB64 = 0x400_0000;

function machine() {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  return { core, root, space: core.addressSpace(root, 'bench') };
}

function oneRam() {
  const m = machine();
  m.ram = m.core.ram('ram', bufferBacking(MIB64));
  m.root.addSubregion(0, m.ram);
  return m;
}

function eightRam() {
  const m = machine();
  m.core.transaction(() => {
    for (let i = 0; i < 8; i++) m.root.addSubregion(i * MIB64, m.core.ram(`ram${i}`, bufferBacking(MIB64)));
  });
  return m;
}

const next = (x) => (Math.imul(x, 1664525) + 1013904223) | 0;

function loads(space, tx, across) {
  return (n) => {
    let sum = 0;
    for (let i = 0, x = 12345; i < n; i++) {
      x = next(x);
      const addr = ((x >>> 20) & 0xff8) + (across ? ((x >>> 14) & 7) * MIB64 : 0);
      sum = (sum + (tx === null ? space.load(addr, LE32) : space.txLoad(addr, LE32, ATTRS, tx))) | 0;
    }
    return sum;
  };
}

function stores(space, tx) {
  return (n) => {
    let x = 12345;
    for (let i = 0; i < n; i++) {
      x = next(x);
      if (tx === null) space.store((x >>> 20) & 0xff8, LE32, x >>> 0);
      else space.txStore((x >>> 20) & 0xff8, LE32, x >>> 0, ATTRS, tx);
    }
    return x;
  };
}

function fixedLoads(space, tx, addr) {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + space.txLoad(addr + (i & 0x1c), LE32, ATTRS, tx)) | 0;
    return sum;
  };
}

export const ROWS = {
  'floor/load': () => {
    const view = new DataView(new ArrayBuffer(MIB64));
    return (n) => {
      let sum = 0;
      for (let i = 0, x = 12345; i < n; i++) {
        x = next(x);
        sum = (sum + view.getUint32((x >>> 20) & 0xff8, true)) | 0;
      }
      return sum;
    };
  },
  'floor/store': () => {
    const view = new DataView(new ArrayBuffer(MIB64));
    return (n) => {
      let x = 12345;
      for (let i = 0; i < n; i++) {
        x = next(x);
        view.setUint32((x >>> 20) & 0xff8, x, true);
      }
      return x;
    };
  },
  'ram/load': () => loads(oneRam().space, null, false),
  'ram/txLoad': () => loads(oneRam().space, new MemTx(), false),
  'ram/load-eight-sections': () => loads(eightRam().space, null, true),
  'ram/store': () => stores(oneRam().space, null),
  'ram/txStore': () => stores(oneRam().space, new MemTx()),
  'ram/store-logged-dirty': () => {
    const m = oneRam();
    m.ram.setLog(true, DirtyClient.VGA);
    return stores(m.space, null);
  },
  'ram/store-logged-first-touch': () => {
    const m = oneRam();
    m.ram.setLog(true, DirtyClient.VGA);
    return (n) => {
      for (let i = 0; i < n; i++) {
        const page = (i & 0x3fff) << 12;
        if ((i & 0x3fff) === 0) memoryRegionResetDirty(m.ram, 0, MIB64, DirtyClient.VGA);
        m.space.store(page, LE32, 1);
      }
      return 0;
    };
  },
  'device/txLoad': () => {
    const m = machine();
    let reads = 0;
    m.root.addSubregion(0x1000, m.core.io('dev', 0x100, { endianness: 'little', read: () => reads++ }, { owner: {} }));
    return fixedLoads(m.space, new MemTx(), 0x1000);
  },
  'device/txLoad-eight': () => {
    const m = machine();
    for (let i = 0; i < 8; i++) {
      let reads = 0;
      m.root.addSubregion(
        0x1000 * (i + 1),
        m.core.io(`dev${i}`, 0x100, { endianness: 'little', read: (offset) => offset + reads++ }, { owner: {} }),
      );
    }
    const tx = new MemTx();
    return (n) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = (sum + m.space.txLoad(0x1000 * ((i & 7) + 1), LE32, ATTRS, tx)) | 0;
      return sum;
    };
  },
  'hole/txLoad': () => {
    const m = oneRam();
    return fixedLoads(m.space, new MemTx(), 0x8000_0000);
  },
  'iommu/txLoad-hit': () => {
    const m = oneRam();
    const model = new PageIommu(m.space, (offset) => ({ translatedAddr: offset, perm: IommuAccess.RW }));
    const dma = m.core.addressSpace(m.core.iommu('iommu', 1n << 32n, model), 'dma');
    return loads(dma, new MemTx(), false);
  },
  'bulk/read-4096': () => {
    const { space } = oneRam();
    const buf = new Uint8Array(4096);
    const tx = new MemTx();
    return (n) => {
      for (let i = 0; i < n / 64; i++) space.txRead((i & 0xff) << 12, buf, ATTRS, 'stop', tx);
      return buf[0];
    };
  },
  'floor/copy-4096': () => {
    const bytes = new Uint8Array(MIB64);
    const buf = new Uint8Array(4096);
    return (n) => {
      for (let i = 0; i < n / 64; i++) buf.set(bytes.subarray((i & 0xff) << 12, ((i & 0xff) << 12) + 4096));
      return buf[0];
    };
  },
};
