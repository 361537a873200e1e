/**
 * The 256 bytes of a PCI function's configuration space: values, which bits a guest can change, which it clears by writing
 * ones. Bits are declared, not coded; what a change means is for the owner. PCI 3.0, chapter 6.
 */

/** Bytes of the configuration space. */
export const CONFIG_SIZE = 0x100;

// Offsets of the common header
export const VENDOR_ID = 0x00; // RO, 16
export const DEVICE_ID = 0x02; // RO, 16
export const COMMAND = 0x04; // RW, 16
export const STATUS = 0x06; // RO and RW1C, 16
export const REVISION_ID = 0x08; // RO, 8
export const CLASS_CODE = 0x09; // RO, 24
export const CACHE_LINE_SIZE = 0x0c; // RW, 8
export const BAR_0 = 0x10; // RW, 32, six of them
export const SUBSYSTEM_VENDOR_ID = 0x2c; // RO, 16
export const SUBSYSTEM_ID = 0x2e; // RO, 16
export const CAPABILITIES_POINTER = 0x34; // RO, 8
export const INTERRUPT_LINE = 0x3c; // RW, 8
export const INTERRUPT_PIN = 0x3d; // RO, 8

// COMMAND
export const COMMAND_IO = 0x1;
export const COMMAND_MEMORY = 0x2;
export const COMMAND_MASTER = 0x4;
export const COMMAND_SERR = 0x100;
export const COMMAND_INTX_DISABLE = 0x400;
// STATUS
export const STATUS_INTERRUPT = 0x8;
export const STATUS_CAPABILITIES = 0x10;

/** Does a write of `size` bytes at `offset` reach the first byte of COMMAND? */
export function writesCommand(offset: number, size: number): boolean {
  return offset <= COMMAND && offset + size > COMMAND;
}

/** The bytes and their masks. */
export class ConfigSpace {
  readonly #bytes = new Uint8Array(CONFIG_SIZE);
  readonly #writable = new Uint8Array(CONFIG_SIZE);

  /** Declares `size` bytes at `offset`: their value now, and the bits a guest sets at will. */
  define(offset: number, size: number, value: number, writable = 0): void {
    for (let i = 0; i < size; i++) {
      this.#bytes[offset + i] = value >>> (8 * i);
      this.#writable[offset + i] = writable >>> (8 * i);
    }
  }

  /** `size` (1, 2 or 4) bytes at `offset` as a little-endian number. */
  get(offset: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.#bytes[offset + i]!;
    return value;
  }

  /** Sets bytes without regard to masks: what the device side does. */
  set(offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++) this.#bytes[offset + i] = value >>> (8 * i);
  }

  /** A guest's write. @returns did any byte change? */
  write(offset: number, size: number, value: number): boolean {
    let changed = false;
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      const old = this.#bytes[at]!;
      const byte = (value >>> (8 * i)) & 0xff;
      const writable = this.#writable[at]!;
      const now = (old & ~writable) | (byte & writable);
      this.#bytes[at] = now;
      if (now !== old) changed = true;
    }
    return changed;
  }

  /** All bytes, as hex digits. */
  toHex(): string {
    return Array.from(this.#bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Takes all bytes from `hex`, 512 digits. Masks stay. */
  fromHex(hex: string): void {
    for (let i = 0; i < CONFIG_SIZE; i++) this.#bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }
}
