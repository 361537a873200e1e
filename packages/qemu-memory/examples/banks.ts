import { u8 } from '@guestmem/memtx';
import { IommuAccess, MemoryCore, PageIommu, RamBlock } from '@guestmem/qemu-memory';

const SIZE = 0x4000;
const core = new MemoryCore();
const root = core.container('bus', 0x10000);
const space = core.addressSpace(root, 'cpu');

// 64 banks, each full of its number.
const bytes = Uint8Array.from({ length: 64 * SIZE }, (_, at) => at / SIZE);
const rom = new RamBlock('cartridge', bytes);

// An alias that moves.
const moving = core.alias('window', core.rom('banks', rom), 0, SIZE);
root.addSubregion(0, moving);
moving.setAliasOffset(5 * SIZE);
console.log(space.load(0x123, u8)); // -> 5

// A page that leads elsewhere.
let bank = 6;
const pages = core.addressSpace(core.rom('banks', rom), 'banks');
const pager = new PageIommu(pages, () => ({ translatedAddr: bank * SIZE, perm: IommuAccess.RO }), { pageSize: SIZE });
root.addSubregion(SIZE, core.iommu('window', SIZE, pager));
console.log(space.load(SIZE + 0x123, u8)); // -> 6
bank = 7;
pager.flush();
console.log(space.load(SIZE + 0x123, u8)); // -> 7

// A device that looks itself.
root.addSubregion(2 * SIZE, core.io('window', SIZE, { read: (offset) => bytes[bank * SIZE + offset]!, write() {} }));
bank = 8;
console.log(space.load(2 * SIZE + 0x123, u8)); // -> 8
