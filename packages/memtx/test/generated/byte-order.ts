// Made from README.md, section "Byte order", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { be32, fromDevice, le32, reorder, resolveDeviceEndian, toDevice } from '@guestmem/memtx';

expect(reorder(0x11223344, 4, 'little', 'big')).toEqual(0x44332211);
expect(toDevice(be32, 0x11223344, 'little')).toEqual(0x44332211);
expect(fromDevice(le32, 0x11223344, 'little')).toEqual(0x11223344);
expect(resolveDeviceEndian('native', 'big')).toEqual('big');
