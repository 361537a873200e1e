/**
 * Designs of a device read, smaller than the real thing: each checks range, size and alignment, sets a guard and a depth,
 * names the device in an exception, and finds its device among eight. Figures of 2026-11-22, Node 20 / 26, one device, then
 * eight classes in turn, ns with the loop. The real thing has byMethod for the device that is hot, inlined into the caller,
 * and byCall for the others, behind one call that V8 must not inline: 4.6 / 5.0 and 24 / 25. With that call for the hot one as well it
 * was 8.2 / 8.4; with the slow paths inlined, too, 13.9 / 13.9: `load` is then too long to be inlined itself, and its
 * addresses from 2^31 on are boxed.
 */
import type { Device } from '../rows/devices.ts';

const BASE = 0xa000_0000;
const SHIFT = 17;
const SPAN = 0x1000;

/** What every design sets while a callback runs. */
class Control {
  depth = 0;
  busy = false;
}

class Port {
  readonly bits: number;
  readonly ops: Device;
  readonly read: Device['read'];
  readonly control: Control;

  constructor(ops: Device, index: number, control: Control) {
    this.bits = (BASE + (index << SHIFT)) | 0;
    this.ops = ops;
    this.read = ops.read;
    this.control = control;
  }

  /** The function that was found once, called for its object: no call is inlined, and all cost alike. */
  byCall(at: number): number {
    const { control } = this;
    control.depth++;
    control.busy = true;
    try {
      return this.read.call(this.ops, at, 4) | 0;
    } catch (cause) {
      throw new Error(`device at ${this.bits}`, { cause });
    } finally {
      control.depth--;
      control.busy = false;
    }
  }

  /** A method call: inlined while one class is met here, a look-up by name from the fifth class on. */
  byMethod(at: number): number {
    const { control } = this;
    control.depth++;
    control.busy = true;
    try {
      return this.ops.read(at, 4) | 0;
    } catch (cause) {
      throw new Error(`device at ${this.bits}`, { cause });
    } finally {
      control.depth--;
      control.busy = false;
    }
  }
}

abstract class Table {
  protected readonly ports: readonly Port[];

  constructor(devices: readonly Device[]) {
    const control = new Control();
    this.ports = devices.map((device, i) => new Port(device, i, control));
  }

  protected portAt(addr: number): Port | null {
    return this.ports[((addr - BASE) >>> SHIFT) & 7] ?? null;
  }
}

/** 12.4 / 12.7; eight 23 / 14. */
class ByCall extends Table {
  load(addr: number): number {
    const port = this.portAt(addr);
    if (port !== null) {
      const at = (addr - port.bits) | 0;
      if (at >= 0 && at < SPAN && (at & 3) === 0) return port.byCall(at);
    }
    throw new RangeError(`nothing at ${addr}`);
  }
}

/** 6.1 / 5.1, as all of it is inlined into the loop; eight 32 / 32. */
class ByMethod extends Table {
  load(addr: number): number {
    const port = this.portAt(addr);
    if (port !== null) {
      const at = (addr - port.bits) | 0;
      if (at >= 0 && at < SPAN && (at & 3) === 0) return port.byMethod(at);
    }
    throw new RangeError(`nothing at ${addr}`);
  }
}

export const deviceByCall = (devices: readonly Device[]): object => new ByCall(devices);
export const deviceByMethod = (devices: readonly Device[]): object => new ByMethod(devices);

/**
 * An accessor generated for the view, a branch for each device: 8.5 / 8.8; eight 16 / 12. Not for a library: pages with a content security policy
 * forbid it, and each commit compiles anew.
 */
export function deviceGenerated(devices: readonly Device[]): object {
  const branches = devices.map((_, i) => {
    const bits = (BASE + (i << SHIFT)) | 0;
    return `at = (low - ${bits}) | 0;
      if (at >= 0 && at < ${SPAN} && (at & 3) === 0) {
        control.depth++; control.busy = true;
        try { return d${i}.read(at, 4) | 0; }
        catch (cause) { throw new Error('device ${i}', { cause }); }
        finally { control.depth--; control.busy = false; }
      }`;
  });
  const names = devices.map((_, i) => `d${i}`).join(', ');
  const source = `const [${names}] = devices; return { load(addr) { const low = addr | 0; let at = 0; ${branches.join('\n')}
    throw new RangeError('nothing at ' + addr); } };`;
  return new Function('devices', 'control', source)(devices, new Control()) as object;
}
