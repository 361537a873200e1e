/** Small parts of a PC: the CMOS of the RTC, the reset control ports, the select register of an IOAPIC. */
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import type { DeviceModel } from './context.ts';

/** One index and one data port, a byte each; the index reads as ones. */
class CmosRtc {
  /** Two bytes: index at 0, data at 1. */
  readonly ops: MemoryRegionOps;
  readonly #ram = new Uint8Array(128);
  #index = 0;

  /** Only register D and plain bytes are modelled: time of day is the host's business. */
  constructor() {
    this.#ram[REG_D] = REG_D_VALID;
    this.ops = {
      endianness: 'little',
      valid: { minAccessSize: 1, maxAccessSize: 4 },
      impl: { minAccessSize: 1, maxAccessSize: 1 },
      read: (offset) => ((offset & 1) === 0 ? 0xff : this.#ram[this.#index]!),
      write: (offset, value) => {
        if ((offset & 1) === 0) this.#index = value & 0x7f;
        else if (this.#index > REG_D) this.#ram[this.#index] = value;
      },
      peek: (offset) => ((offset & 1) === 0 ? 0xff : this.#ram[this.#index]!),
    };
  }

  /** A system reset: the shutdown status is 0, the other bytes and the index stay (seen). */
  reset(): void {
    this.#ram[SHUTDOWN_STATUS] = 0;
  }
}

const REG_D = 0x0d;
const REG_D_VALID = 0x80;
const SHUTDOWN_STATUS = 0x0f;

/** The RTC of a board. Its index port may lie in two regions: `rtc-index` over the first byte of `rtc`. */
export const cmosRtc: DeviceModel = (context) =>
  context.shared('rtc', () => {
    const rtc = new CmosRtc();
    context.resets.push(() => rtc.reset());
    return rtc;
  }).ops;

/** What the reset control ports of the boards differ in. */
interface ResetControl {
  /** Bits that read back. */
  readonly kept: number;
  /** Is each byte of a wider access one of the register's own? Else the lowest is, the others are nothing. */
  readonly bytewise: boolean;
}

/** Port 0xcf9: bit 2 resets the machine, and what it comes with is not stored. Accesses wider than the register are taken (seen). Intel ICH9, RST_CNT; PIIX3, RC. */
const resetControl =
  ({ kept, bytewise }: ResetControl): DeviceModel =>
  (context) => {
    let value = 0;
    context.resets.push(() => {
      value = 0;
    });
    return {
      endianness: 'little',
      ...(bytewise && { impl: { minAccessSize: 1, maxAccessSize: 1 } }),
      read: () => value,
      write: (_, written) => {
        if ((written & 0x04) !== 0) context.requestReset();
        else value = written & kept;
      },
      peek: () => value,
    };
  };

/** The one of a Q35. */
export const ich9ResetControl: DeviceModel = resetControl({ kept: 0x0a, bytewise: false });
/** The one of a `pc`. */
export const piix3ResetControl: DeviceModel = resetControl({ kept: 0x02, bytewise: true });

/** Port 0x92: bit 0 resets the machine, which takes that bit back and leaves the others (seen). That bit 1 is the A20 line is not modelled. */
export const port92: DeviceModel = (context) => {
  let value = 0;
  context.resets.push(() => {
    value &= ~0x01;
  });
  return {
    endianness: 'little',
    impl: { minAccessSize: 1, maxAccessSize: 1 },
    read: () => value,
    write: (_, written) => {
      value = written & 0xff;
      if ((value & 0x01) !== 0) context.requestReset();
    },
    peek: () => value,
  };
};

/** An IOAPIC's registers: index, data, redirection entries as plain words. Delivering interrupts is not modelled. */
export const ioapic: DeviceModel = (context, placed) => {
  if (placed.path !== undefined) context.devices.push({ path: placed.path, inputs: context.lines, outputs: [] });
  let index = 0;
  let id = 0;
  const entries = new Uint32Array(2 * IOAPIC_PINS);
  const reset = (): void => {
    index = 0;
    id = 0;
    for (let i = 0; i < entries.length; i += 2) {
      entries[i] = MASKED;
      entries[i + 1] = 0;
    }
  };
  reset();
  context.resets.push(reset);
  const data = (): number => {
    if (index === 0 || index === 2) return id;
    if (index === 1) return 0x20 | ((IOAPIC_PINS - 1) << 16);
    return entries[index - 0x10] ?? 0;
  };
  const read = (offset: number, size: number): number => {
    const register = offset & REGISTER;
    return register === 0 ? index : register === 0x10 && size === 4 ? data() : 0;
  };
  return {
    endianness: 'little',
    read,
    write: (offset, value, size) => {
      const register = offset & REGISTER;
      if (register === 0) index = value & 0xff;
      else if (register !== 0x10 || size !== 4) return;
      else if (index === 0) id = value & 0x0f00_0000;
      else if (index >= 0x10 && index - 0x10 < entries.length)
        entries[index - 0x10] = value & (index & 1 ? -1 : ENTRY_LO);
    },
    peek: read,
  };
};

/** The registers are chosen by the last byte of the offset: each 256 bytes of the region hold them again; data goes by whole words (seen). */
const REGISTER = 0xff;
const IOAPIC_PINS = 24;
const MASKED = 1 << 16;
/** Bits of the low half of an entry that software sets: all but delivery status and remote IRR, the reserved ones too (seen). */
const ENTRY_LO = 0xffff_afff;
