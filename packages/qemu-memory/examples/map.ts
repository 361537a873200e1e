import {
  buildMap,
  captureMap,
  describeDiff,
  describeExplanation,
  diffMaps,
  explainAddress,
  flatDump,
  parseMtree,
  printFlatDump,
  printMtree,
} from '@guestmem/qemu-memory';

// What `info mtree` of a QEMU monitor printed.
const text = `address-space: memory
  0000000000000000-ffffffffffffffff (prio 0, i/o): system
    0000000000000000-0000000007ffffff (prio 0, ram): pc.ram
    00000000000c0000-00000000000dffff (prio 1, i/o): pam

`;
const map = parseMtree(text); // a plain value
const { core, spaces, regions } = buildMap(map); // a live core: sparse RAM, reservations for devices
console.log(printMtree(core) === text); // -> true
console.log(printFlatDump(flatDump(core)).match(/prio/g)?.length); // -> 3

// What answers there, and why.
const why = describeExplanation(explainAddress(spaces[0]!.root, 0xc0000n));
console.log(why[0]); // -> 0xc0000: pam + 0x0 (i/o)

// Range by range: as data, and in words.
regions.find(({ name }) => name === 'pam')!.setEnabled(false);
const [where, change] = describeDiff(diffMaps(map, captureMap(core)));
console.log(where); // -> address space "memory" (root system):
console.log(change?.trim()); // -> [0xc0000, 0xdffff] now pc.ram + 0xc0000 (ram), was pam (i/o, priority 1)
