/**
 * Eight device classes that differ in shape and code, as eight devices do, with the method names that each emulator
 * wants: `read(offset, size)` (guestmem takes the object itself as its ops; v86 functions, bound as its own devices do) and `readUint32(offset)` (rp2040js).
 */

/** What all of them answer at `offset` (masked to the 4 KiB of a device): the same for every emulator. */
function answer(offset: number, which: number): number {
  return ((offset & 0xfff) + 1) * (which + 3);
}

export interface Device {
  readonly endianness: 'little';
  read(offset: number, size: number): number;
  write(offset: number, value: number, size: number): void;
  readUint32(offset: number): number;
  writeUint32(offset: number, value: number): void;
  writeUint32Atomic(offset: number, value: number): void;
}

/** Makes a class of its own, not an instance of a shared one: each gets its own methods and hidden class. */
function deviceClass(which: number): new () => Device {
  const source = `return class Device${which} {
    constructor() { this.endianness = 'little'; this.reads = 0; this.register${which} = 0; ${which % 2 ? 'this.extra = null;' : ''} }
    read(offset, size) { this.reads = (this.reads + 1) | 0; return ((offset & 0xfff) + 1) * ${which + 3}; }
    write(offset, value, size) { this.register${which} = value; }
    readUint32(offset) { this.reads = (this.reads + 1) | 0; return ((offset & 0xfff) + 1) * ${which + 3}; }
    writeUint32(offset, value) { this.register${which} = value; }
    writeUint32Atomic(offset, value) { this.register${which} = value; }
  }`;
  return new Function(source)() as new () => Device;
}

/** `count` devices of `count` classes. */
export function devices(count: number): readonly Device[] {
  return Array.from({ length: count }, (_, which) => {
    const device = new (deviceClass(which))();
    if (device.read(0x10, 4) !== answer(0x10, which)) throw new Error('a device answers wrongly');
    return device;
  });
}
