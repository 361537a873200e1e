/** What the qtest server needs of a machine. Any machine will do: machine/machine.ts is one. */
import type { TxMemory } from '@guestmem/memtx';
import type { VirtualClock } from '../clock/virtual-clock.ts';
import type { InterruptLine } from '../irq/interrupt-line.ts';

/** A device that has a path and interrupt lines. */
export interface QtestDevice {
  /** Object path, for example `/machine/unattached/device[7]`. */
  readonly path: string;
  /** Unnamed inputs, by number; driving one is what a client's `set_irq_in` does. */
  readonly inputs: readonly InterruptLine[];
  /** Unnamed outputs, by number. */
  readonly outputs: readonly InterruptLine[];
}

/** The machine behind a server. */
export interface QtestMachine {
  /** What the first CPU sees. */
  readonly memory: TxMemory;
  /** The 64 KiB of I/O ports. */
  readonly ports: TxMemory;
  readonly bigEndian: boolean;
  readonly clock: VirtualClock;
  readonly devices: readonly QtestDevice[];
  /** One turn of the main loop: timers that are due at the present, a pending reset. */
  turn(): void;
}

/** The device that `text` names: a whole object path, or a part that one device only has at its end. Empty steps count for nothing (seen). */
export function findDevice(machine: QtestMachine, text: string): QtestDevice | null {
  const path = text.replace(/\/+/g, '/').replace(/\/$/, '');
  const found = machine.devices.filter((device) => device.path === path || device.path.endsWith(`/${path}`));
  return found.length === 1 ? found[0]! : null;
}

/**
 * Does `path` name an object that is not a device, as far as the devices' own paths tell: `/machine`, say, or another that they lie
 * under? Whole, or the end of one.
 */
export function isContainer(machine: QtestMachine, path: string): boolean {
  return machine.devices.some((device) => {
    for (let end = device.path.lastIndexOf('/'); end > 0; end = device.path.lastIndexOf('/', end - 1)) {
      const object = device.path.slice(0, end);
      if (object === path || object.endsWith(`/${path}`)) return true;
    }
    return false;
  });
}
