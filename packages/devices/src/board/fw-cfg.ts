/** The firmware configuration device, as far as its signature: item 0 reads `QEMU`; every other item is empty. */
import type { BoardContext, DeviceModel } from './context.ts';

class FwCfg {
  selector = 0;
  #at = 0;

  select(item: number): void {
    this.selector = item;
    this.#at = 0;
  }

  next(): number {
    const byte = this.selector === 0 ? SIGNATURE[this.#at] : undefined;
    if (byte !== undefined) this.#at++;
    return byte ?? 0;
  }

  peek(): number {
    return this.selector === 0 ? (SIGNATURE[this.#at] ?? 0) : 0;
  }
}

const SIGNATURE = [0x51, 0x45, 0x4d, 0x55];

/** The one device behind both registers. A system reset selects the signature. */
function deviceOf(context: BoardContext): FwCfg {
  return context.shared('fw-cfg', () => {
    const device = new FwCfg();
    context.resets.push(() => device.select(0));
    return device;
  });
}

/** The selector: 2 bytes, big-endian, written whole. A wider access that begins here is refused as a whole, not cut (seen). */
export const fwCfgControl: DeviceModel = (context) => {
  const device = deviceOf(context);
  return {
    endianness: 'big',
    valid: { minAccessSize: 1, maxAccessSize: 4, accepts: (_offset, size) => size === 2 },
    read: () => 0,
    write: (_, value) => device.select(value),
    peek: () => device.selector,
  };
};

/** The data: a byte at each read. */
export const fwCfgData: DeviceModel = (context) => {
  const device = deviceOf(context);
  return {
    endianness: 'big',
    valid: { minAccessSize: 1, maxAccessSize: 1 },
    read: () => device.next(),
    write: () => {},
    peek: () => device.peek(),
  };
};
