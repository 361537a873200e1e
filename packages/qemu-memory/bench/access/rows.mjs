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
const MIB = 1 << 20;
const MIB64 = 0x400_0000;
/** Where UEFI puts BARs of 64 bits. */
const HIGH = 0x38_0000_0000;

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

/** Eight pieces that are 1 MiB apart, and a device far above: all of them in one entry of the coarse table. */
function eightPieces() {
  const m = machine();
  m.core.transaction(() => {
    for (let i = 0; i < 8; i++) m.root.addSubregion(i * MIB, m.core.ram(`ram${i}`, bufferBacking(MIB)));
    m.root.addSubregion(0xfee0_0000, m.core.io('far', 0x1000, { endianness: 'little' }));
  });
  return m;
}

/** A space in which every page goes to itself in the RAM. */
function behindIommu() {
  const m = oneRam();
  const model = new PageIommu(m.space, (offset) => ({ translatedAddr: offset, perm: IommuAccess.RW }));
  return m.core.addressSpace(m.core.iommu('iommu', 1n << 32n, model), 'dma');
}

const next = (x) => (Math.imul(x, 1664525) + 1013904223) | 0;

function loads(space) {
  return (n) => {
    let sum = 0;
    for (let i = 0, x = 12345; i < n; i++) {
      x = next(x);
      sum = (sum + space.load((x >>> 20) & 0xff8, LE32)) | 0;
    }
    return sum;
  };
}

function loadsAcross(space, shift) {
  return (n) => {
    let sum = 0;
    for (let i = 0, x = 12345; i < n; i++) {
      x = next(x);
      sum = (sum + space.load(((x >>> 20) & 0xff8) + (((x >>> 14) & 7) << shift), LE32)) | 0;
    }
    return sum;
  };
}

function txLoads(space) {
  const tx = new MemTx();
  return (n) => {
    let sum = 0;
    for (let i = 0, x = 12345; i < n; i++) {
      x = next(x);
      sum = (sum + space.txLoad((x >>> 20) & 0xff8, LE32, ATTRS, tx)) | 0;
    }
    return sum;
  };
}

function stores(space) {
  return (n) => {
    let x = 12345;
    for (let i = 0; i < n; i++) {
      x = next(x);
      space.store((x >>> 20) & 0xff8, LE32, x >>> 0);
    }
    return x;
  };
}

function txStores(space) {
  const tx = new MemTx();
  return (n) => {
    let x = 12345;
    for (let i = 0; i < n; i++) {
      x = next(x);
      space.txStore((x >>> 20) & 0xff8, LE32, x >>> 0, ATTRS, tx);
    }
    return x;
  };
}

/** Eight words of a device from `addr` on, without a place for the outcome. */
function deviceLoads(space, addr) {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + space.load(addr + (i & 0x1c), LE32)) | 0;
    return sum;
  };
}

function deviceStores(space, addr) {
  return (n) => {
    for (let i = 0; i < n; i++) space.store(addr + (i & 0x1c), LE32, i);
    return 0;
  };
}

function oneDevice(base = 0x1000) {
  const m = machine();
  let reads = 0;
  const ops = {
    endianness: 'little',
    read: () => (reads = (reads + 1) | 0),
    write: (_offset, value) => {
      reads = value | 0;
    },
  };
  m.root.addSubregion(base, m.core.io('dev', 0x100, ops, { owner: {} }));
  return m;
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
  'floor/load-eight': () => {
    const views = Array.from({ length: 8 }, () => new DataView(new ArrayBuffer(MIB64)));
    return (n) => {
      let sum = 0;
      for (let i = 0, x = 12345; i < n; i++) {
        x = next(x);
        sum = (sum + views[(x >>> 14) & 7].getUint32((x >>> 20) & 0xff8, true)) | 0;
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
  'ram/load': () => loads(oneRam().space),
  'ram/txLoad': () => txLoads(oneRam().space),
  'ram/load-eight-sections': () => loadsAcross(eightRam().space, 26),
  'ram/load-eight-sections-in-16-MiB': () => loadsAcross(eightPieces().space, 20),
  'ram/store': () => stores(oneRam().space),
  'ram/txStore': () => txStores(oneRam().space),
  'ram/store-logged-dirty': () => {
    const m = oneRam();
    m.ram.setLog(true, DirtyClient.VGA);
    return stores(m.space);
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
  'device/load': () => deviceLoads(oneDevice().space, 0x1000),
  'device/store': () => deviceStores(oneDevice().space, 0x1000),
  'device/load-above-4-GiB': () => deviceLoads(oneDevice(HIGH).space, HIGH),
  'device/store-above-4-GiB': () => deviceStores(oneDevice(HIGH).space, HIGH),
  'device/txLoad': () => fixedLoads(oneDevice().space, new MemTx(), 0x1000),
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
  'iommu/load-hit': () => loads(behindIommu()),
  'iommu/store-hit': () => stores(behindIommu()),
  'iommu/txLoad-hit': () => txLoads(behindIommu()),
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
