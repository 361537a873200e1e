/**
 * One PCI function: its configuration space, the regions behind its base address registers, its bus-master address space,
 * its interrupt pin and MSI. Moving a base address register edits the map of the machine, so a guest sees the device where it put it.
 * E-60 to E-67 say what of it is modelled.
 */
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx, MemTxResult } from '@guestmem/memtx';
import type { AddressSpace, MemoryCore, MemoryRegion } from '@guestmem/qemu-memory';
import { type DeviceEvents, NO_EVENTS } from '../events.ts';
import type { InterruptSink } from '../irq/interrupt-line.ts';
import { StateReader } from '../state-error.ts';
import * as C from './config-space.ts';

/** The bits of COMMAND that a guest sets at will. */
const COMMAND_BITS = C.COMMAND_IO | C.COMMAND_MEMORY | C.COMMAND_MASTER | C.COMMAND_SERR | C.COMMAND_INTX_DISABLE;

/** Who the function says it is. */
export interface PciIdentity {
  /** 16 bits. */
  readonly vendorId: number;
  /** 16 bits. */
  readonly deviceId: number;
  /** 8 bits. */
  readonly revisionId: number;
  /** 24 bits: base class, subclass, interface. */
  readonly classCode: number;
  /** 16 bits. */
  readonly subsystemVendorId: number;
  /** 16 bits. */
  readonly subsystemId: number;
  /** 0: no interrupt; 1: INTA. */
  readonly interruptPin: 0 | 1;
}

/** What a bus gives to the functions on it. */
export interface PciBusWiring {
  readonly core: MemoryCore;
  /** The container that memory base address registers map into. */
  readonly memory: MemoryRegion;
  /** What a bus master sees. */
  readonly system: MemoryRegion;
  readonly events?: DeviceEvents;
}

/** Events that a function counts. */
export const PciEvent = { MESSAGE_FAILED: 'pci: message not stored' } as const;

/** A saved function. */
export interface PciFunctionState {
  readonly version: 1;
  /** 256 bytes of configuration space. */
  readonly config: string;
  readonly intx: boolean;
  /** The pin is high while this is not 0. Absent: what `intx` and the disable bit say. */
  readonly pinCount?: number;
  /** Is the bus-master space on? */
  readonly busMaster: boolean;
}

interface Bar {
  readonly offset: number;
  readonly region: MemoryRegion;
}

/** One function on a bus. */
export class PciFunction {
  readonly config: C.ConfigSpace = new C.ConfigSpace();
  /** What the device's DMA and messages go through: empty until the guest switches bus mastering on (E-63). */
  readonly dma: AddressSpace;
  readonly #bus: PciBusWiring;
  readonly #events: DeviceEvents;
  readonly #busMaster: MemoryRegion;
  readonly #pins: readonly InterruptSink[];
  readonly #bars: Bar[] = [];
  readonly #tx = new MemTx();
  #msi = 0;
  #intx = false;
  /** The pin is high while this is not 0: what was added for each rise and taken for each fall that reached it (see `#moved`). */
  #pinCount = 0;

  /**
   * @param name of the bus-master address space.
   * @param pins where INTA to INTD of its slot lead; the bus joins them with others' before they reach a line. Fewer are
   *   allowed, none too. INTA is driven to its count: 0 is low, 1 is high, and what else a guest makes of it is high as well.
   */
  constructor(bus: PciBusWiring, name: string, identity: PciIdentity, pins: readonly InterruptSink[]) {
    this.#bus = bus;
    this.#events = bus.events ?? NO_EVENTS;
    this.#pins = pins;
    const all = bus.core.container('bus master container', 1n << 64n);
    this.#busMaster = bus.core.alias('bus master', bus.system, 0, 1n << 64n);
    this.#busMaster.setEnabled(false);
    all.addSubregion(0, this.#busMaster);
    this.dma = bus.core.addressSpace(all, name);
    this.#declare(identity);
  }

  get msiEnabled(): boolean {
    return this.#msi !== 0 && (this.config.get(this.#msi + MSI_CONTROL, 2) & MSI_ENABLE) !== 0;
  }

  /** Puts `region` behind 32-bit memory base address register `index`. Its size is a power of two, 16 bytes at least. */
  addMemoryBar(index: number, region: MemoryRegion): void {
    const offset = C.BAR_0 + 4 * index;
    this.config.define(offset, 4, 0, Number(BigInt.asUintN(32, -region.size)));
    this.#bars.push({ offset, region });
  }

  /** Adds an MSI capability at `offset`: one message, 64-bit address, no masking (E-61). */
  addMsi(offset: number): void {
    this.#msi = offset;
    this.config.define(offset, 2, 0x0005); // capability 5, no next one
    this.config.define(offset + MSI_CONTROL, 2, 0x0080, MSI_ENABLE | MSI_MESSAGES);
    this.config.define(offset + MSI_ADDRESS, 4, 0, 0xffff_fffc);
    this.config.set(C.CAPABILITIES_POINTER, 1, offset);
    this.config.set(C.STATUS, 2, this.config.get(C.STATUS, 2) | C.STATUS_CAPABILITIES);
  }

  /** A configuration read of 1, 2 or 4 bytes. No side effect. */
  readConfig(offset: number, size: number): number {
    return this.config.get(offset, size);
  }

  /** A configuration write. The map, the bus-master space and the pin follow at once. Switching MSI on lowers the pin (seen). */
  writeConfig(offset: number, size: number, value: number): void {
    const wasDisabled = this.#intxDisabled;
    const changed = this.config.write(offset, size, value);
    // A write of the command's second byte alone leaves it, after a reset too, when the bit has gone (seen).
    if (C.writesCommand(offset, size))
      this.#busMaster.setEnabled((this.config.get(C.COMMAND, 2) & C.COMMAND_MASTER) !== 0);
    if (!changed) return;
    if (this.msiEnabled) {
      // How many messages software allows is kept as written, but cut to the one there is once MSI is on (seen).
      this.config.set(this.#msi + MSI_CONTROL, 2, this.config.get(this.#msi + MSI_CONTROL, 2) & ~MSI_MESSAGES);
      this.setInterrupt(false);
    }
    this.#follow();
    // The disable bit lies in the second byte of the word, but the pin follows only where the first is written, too (seen).
    if (wasDisabled === this.#intxDisabled || offset > C.COMMAND) return;
    if (this.#intx) this.#pinCount += wasDisabled ? 1 : -1;
    // All four pins of the slot are driven again, to the level they have (seen): on shared lines that is noticed.
    for (const [i, pin] of this.#pins.entries()) pin.set(i === 0 ? this.#pinCount : 0);
  }

  /** The device's side of its pin. */
  setInterrupt(high: boolean): void {
    if (high === this.#intx) return;
    this.#intx = high;
    this.#showIntx();
    if (!this.#intxDisabled) this.#moved(high ? 1 : -1);
  }

  /** Sends the MSI message: one 4-byte little-endian store through the bus-master space (E-65). */
  sendMessage(): void {
    const address =
      (BigInt(this.config.get(this.#msi + MSI_ADDRESS + 4, 4)) << 32n) |
      BigInt(this.config.get(this.#msi + MSI_ADDRESS, 4));
    const data = this.config.get(this.#msi + MSI_DATA, 2);
    this.dma.txStore(address, le32, data, MEMTXATTRS_UNSPECIFIED, this.#tx);
    if (this.#tx.result !== MemTxResult.OK) this.#events.count(PciEvent.MESSAGE_FAILED);
  }

  /**
   * The PCI side of a system reset: command, base addresses and MSI to 0, pin low until the device drives it again (E-67). The
   * bus-master space stays as it is until the next write of the command register (seen): a transfer on its way arrives.
   */
  reset(): void {
    this.setInterrupt(false);
    this.config.set(C.COMMAND, 2, 0);
    this.config.set(C.CACHE_LINE_SIZE, 1, 0);
    this.config.set(C.INTERRUPT_LINE, 1, 0);
    for (const bar of this.#bars) this.config.set(bar.offset, 4, 0);
    if (this.#msi !== 0) {
      this.config.set(this.#msi + MSI_CONTROL, 2, 0x0080);
      this.config.set(this.#msi + MSI_ADDRESS, 4, 0);
      this.config.set(this.#msi + MSI_ADDRESS + 4, 4, 0);
      this.config.set(this.#msi + MSI_DATA, 2, 0);
    }
    this.#follow();
    if (this.#pinCount !== 0) this.#moved(-this.#pinCount);
  }

  /** The function's part of a snapshot. */
  state(): PciFunctionState {
    return {
      version: 1,
      config: this.config.toHex(),
      intx: this.#intx,
      pinCount: this.#pinCount,
      busMaster: this.#busMaster.enabled,
    };
  }

  /** Takes `state`, as `state()` gave it: the map follows, and the pin. @throws {DeviceStateError} not one of a function. */
  restore(state: unknown): void {
    const from = new StateReader('pci function', state);
    from.version(1);
    const hex = from.text('config', /^[0-9a-f]{512}$/);
    const busMaster = from.boolean('busMaster');
    const intx = from.boolean('intx');
    const counted = (state as PciFunctionState).pinCount !== undefined;
    const pinCount = counted ? from.integer('pinCount', -COUNT_MAX, COUNT_MAX) : null;
    this.#intx = intx;
    this.config.fromHex(hex);
    this.#showIntx();
    this.#busMaster.setEnabled(busMaster);
    this.#follow();
    this.#moved((pinCount ?? Number(intx && !this.#intxDisabled)) - this.#pinCount);
  }

  #declare(identity: PciIdentity): void {
    const { config } = this;
    config.define(C.VENDOR_ID, 2, identity.vendorId);
    config.define(C.DEVICE_ID, 2, identity.deviceId);
    config.define(C.COMMAND, 2, 0, COMMAND_BITS);
    config.define(C.REVISION_ID, 1, identity.revisionId);
    config.define(C.CLASS_CODE, 3, identity.classCode);
    config.define(C.CACHE_LINE_SIZE, 1, 0, 0xff);
    config.define(C.SUBSYSTEM_VENDOR_ID, 2, identity.subsystemVendorId);
    config.define(C.SUBSYSTEM_ID, 2, identity.subsystemId);
    config.define(C.INTERRUPT_LINE, 1, 0, 0xff);
    config.define(C.INTERRUPT_PIN, 1, identity.interruptPin);
    for (let offset = 0x40; offset < C.CONFIG_SIZE; offset += 4) config.define(offset, 4, 0, 0xffff_ffff);
  }

  #follow(): void {
    const command = this.config.get(C.COMMAND, 2);
    this.#bus.core.transaction(() => {
      for (const bar of this.#bars) this.#place(bar, (command & C.COMMAND_MEMORY) !== 0);
    });
  }

  /** A base address of 0 and one whose last byte is the last of 4 GiB are not decoded, as in QEMU (seen). */
  #place(bar: Bar, on: boolean): void {
    const { region } = bar;
    const address = BigInt(this.config.get(bar.offset, 4) & ~0xf) & 0xffff_fff0n;
    const decoded = on && address !== 0n && address + region.size < 1n << 32n;
    const mapped = region.container !== null;
    if (mapped && (!decoded || region.addr !== address)) this.#bus.memory.delSubregion(region);
    if (decoded && region.container === null) this.#bus.memory.addSubregion(address, region, 1);
  }

  /** E-64: the status bit shows the device's side, whatever the disable bit says. */
  #showIntx(): void {
    const status = this.config.get(C.STATUS, 2);
    this.config.set(C.STATUS, 2, this.#intx ? status | C.STATUS_INTERRUPT : status & ~C.STATUS_INTERRUPT);
  }

  get #intxDisabled(): boolean {
    return (this.config.get(C.COMMAND, 2) & C.COMMAND_INTX_DISABLE) !== 0;
  }

  /**
   * Counts as QEMU does: a change of the device's side while the disable bit is clear, and a change of that bit while the device's side is
   * high. A disable bit written by its own byte is not counted, so that the count can leave 0 and 1: below 0 the pin is high, too (seen). The
   * functions on a line are counted together (pin-wire.ts).
   */
  #moved(by: number): void {
    this.#pinCount += by;
    this.#pins[0]?.set(this.#pinCount);
  }
}

/** More than any guest can count to. */
const COUNT_MAX = Number.MAX_SAFE_INTEGER;

// within an MSI capability
const MSI_CONTROL = 2;
const MSI_ADDRESS = 4;
const MSI_DATA = 12;
const MSI_ENABLE = 0x0001;
const MSI_MESSAGES = 0x0070;
