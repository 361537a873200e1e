/**
 * The teaching device `edu`: a liveness register, a factorial engine, an interrupt register and a DMA engine with a
 * 4 KiB buffer. A device by itself: pci/ and pci-edu.ts make a PCI card of it. Where QEMU 7.2 ends itself on a bad transfer, this one moves
 * nothing and counts an event (E-45). Rules E-1 to E-47.
 */
import { MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs, type TxMemory } from '@guestmem/memtx';
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import { shown } from '@guestmem/vm-memory';
import { addNanoseconds, type Clock, type ClockTimer } from '../clock/clock.ts';
import { type DeviceEvents, NO_EVENTS } from '../events.ts';
import type { InterruptSink } from '../irq/interrupt-line.ts';
import { checkWiring, type Part } from '../wiring.ts';
import * as R from './registers.ts';
import { type EduState, readEduState } from './state.ts';

/** Messages instead of the interrupt line. */
export interface MessageInterrupt {
  /** Asked at each interrupt. */
  readonly msiEnabled: boolean;
  sendMessage(): void;
}

/** What the device is wired to. */
export interface EduOptions {
  /** Virtual time: the DMA engine's. */
  readonly clock: Clock;
  /** The host's time, on which the factorial worker takes a nanosecond a factor (E-32). Absent: it is done at once (E-34). */
  readonly hostClock?: Clock;
  /** What DMA reads and writes. */
  readonly memory: TxMemory;
  /** The interrupt output, a level (E-22). */
  readonly interrupt: InterruptSink;
  /** Takes its interrupts as messages while the guest has these enabled. Absent: there is the one output. */
  readonly messages?: MessageInterrupt;
  /** Counts what the guest does wrong (`EduEvent`). Default nobody. */
  readonly events?: DeviceEvents;
  /** Attributes of its DMA. Default: unspecified, as in QEMU 7.2. */
  readonly attrs?: MemTxAttrs;
  /** Bits of a DMA address that reach the bus, 64 bits (E-1). Default 0x0fffffff. */
  readonly dmaMask?: bigint;
}

/** Events that the device counts. */
export const EduEvent = {
  UNKNOWN_READ: 'edu: read of no register',
  UNKNOWN_WRITE: 'edu: write to no register',
  BAD_TRANSFER: 'edu: transfer outside the buffer',
  ADDRESS_CLAMPED: 'edu: address clamped by the DMA mask',
} as const;

/** One device. Map `ops` with a region of EDU_SIZE bytes. */
export class Edu {
  /** Accesses of 4 and 8 aligned bytes in the target's byte order (E-10). */
  readonly ops: MemoryRegionOps;
  readonly #clock: Clock;
  readonly #hostClock: Clock | undefined;
  readonly #memory: TxMemory;
  readonly #interrupt: InterruptSink;
  readonly #messages: MessageInterrupt | undefined;
  readonly #events: DeviceEvents;
  readonly #attrs: MemTxAttrs;
  readonly #dmaMask: bigint;
  readonly #transferDue: ClockTimer;
  readonly #factorialDue: ClockTimer | undefined;
  readonly #buffer = new Uint8Array(R.BUFFER_SIZE);
  readonly #tx = new MemTx();
  #liveness = 0;
  #factorial = 0;
  #status = 0;
  #interruptStatus = 0;
  #source = 0n;
  #destination = 0n;
  #count = 0n;
  #command = 0n;

  /** As after power-on. @throws {TypeError} a part of the wiring is missing. */
  constructor(options: EduOptions) {
    checkWiring('Edu', options, options?.hostClock === undefined ? WIRING : WIRING_WITH_HOST);
    if (options.dmaMask !== undefined && typeof options.dmaMask !== 'bigint')
      throw new TypeError(`Edu takes options.dmaMask as a bigint, not ${shown(options.dmaMask)}`);
    this.#clock = options.clock;
    this.#hostClock = options.hostClock;
    this.#memory = options.memory;
    this.#interrupt = options.interrupt;
    this.#messages = options.messages;
    this.#events = options.events ?? NO_EVENTS;
    this.#attrs = options.attrs ?? MEMTXATTRS_UNSPECIFIED;
    this.#dmaMask = BigInt.asUintN(64, options.dmaMask ?? 0x0fff_ffffn);
    this.#transferDue = this.#clock.timer(() => this.#transfer());
    this.#factorialDue = this.#hostClock?.timer(() => this.#computed());
    this.ops = {
      endianness: 'native',
      valid: { minAccessSize: 4, maxAccessSize: 8 },
      impl: { minAccessSize: 4, maxAccessSize: 8 },
      read: (offset) => this.#read(offset, true),
      write: (offset, value) => this.#write(offset, value),
      read64: (offset) => this.#read64(offset, true),
      write64: (offset, value) => this.#write64(offset, value),
      peek: (offset, size) => (size === 8 ? this.#read64(offset, false) : this.#read(offset, false)),
    };
  }

  /** Everything that a snapshot needs, as a plain JSON value. */
  state(): EduState {
    const factorialLeft =
      this.#factorialDue?.deadline == null ? null : BigInt(this.#factorialDue.deadline) - BigInt(this.#hostClock!.now);
    return {
      version: 1,
      liveness: this.#liveness,
      factorial: this.#factorial,
      status: this.#status,
      interruptStatus: this.#interruptStatus,
      source: `0x${this.#source.toString(16)}`,
      destination: `0x${this.#destination.toString(16)}`,
      count: `0x${this.#count.toString(16)}`,
      command: `0x${this.#command.toString(16)}`,
      transferDeadline: this.#transferDue.deadline === null ? null : `${this.#transferDue.deadline}`,
      factorialLeft: factorialLeft === null ? null : `${factorialLeft > 0n ? factorialLeft : 0n}`,
      buffer: Array.from(this.#buffer, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  }

  /**
   * A device in the state `state`, on a clock that shows the time the state was saved at. No line is driven.
   *
   * @param state as `state()` gave it, also after a trip through JSON.
   * @throws {DeviceStateError} not a state of this device, or of a version it does not know.
   */
  static fromState(state: unknown, options: EduOptions): Edu {
    const saved = readEduState(state);
    const edu = new Edu(options);
    edu.restore(saved);
    return edu;
  }

  /** @internal Of a device as after power-on. Sets timers. */
  restore(saved: EduState): void {
    this.#liveness = saved.liveness;
    this.#factorial = saved.factorial;
    this.#status = saved.status;
    this.#interruptStatus = saved.interruptStatus;
    this.#source = BigInt(saved.source);
    this.#destination = BigInt(saved.destination);
    this.#count = BigInt(saved.count);
    this.#command = BigInt(saved.command);
    for (let i = 0; i < R.BUFFER_SIZE; i++) this.#buffer[i] = Number.parseInt(saved.buffer.slice(2 * i, 2 * i + 2), 16);
    if (saved.transferDeadline !== null) this.#transferDue.arm(BigInt(saved.transferDeadline));
    if ((this.#status & R.STATUS_COMPUTING) === 0) return;
    if (this.#factorialDue === undefined) this.#computed();
    else this.#factorialDue.arm(addNanoseconds(this.#hostClock!.now, Number(saved.factorialLeft ?? '0')));
  }

  // Registers

  #read(offset: number, counted: boolean): number {
    switch (offset) {
      case R.IDENTIFICATION:
        return R.IDENTIFICATION_VALUE;
      case R.LIVENESS:
        return this.#liveness;
      case R.FACTORIAL:
        return this.#factorial;
      case R.STATUS:
        return this.#status;
      case R.INTERRUPT_STATUS:
        return this.#interruptStatus;
      default:
        // E-13: the low half of a 64-bit register.
        return Number(BigInt.asUintN(32, this.#read64(offset, counted)));
    }
  }

  #read64(offset: number, counted: boolean): bigint {
    switch (offset) {
      case R.DMA_SOURCE:
        return this.#source;
      case R.DMA_DESTINATION:
        return this.#destination;
      case R.DMA_COUNT:
        return this.#count;
      case R.DMA_COMMAND:
        return this.#command;
      default:
        if (counted) this.#events.count(EduEvent.UNKNOWN_READ);
        return ALL_ONES;
    }
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case R.LIVENESS:
        this.#liveness = ~value >>> 0;
        break;
      case R.FACTORIAL:
        this.#startFactorial(value);
        break;
      case R.STATUS:
        this.#status = (this.#status & ~R.STATUS_INTERRUPT) | (value & R.STATUS_INTERRUPT);
        break;
      case R.INTERRUPT_RAISE:
        this.#raise(value);
        break;
      case R.INTERRUPT_ACKNOWLEDGE:
        this.#acknowledge(value);
        break;
      default:
        this.#write64(offset, BigInt(value));
    }
  }

  #write64(offset: number, value: bigint): void {
    const idle = (this.#command & R.DMA_START) === 0n; // E-40
    switch (offset) {
      case R.DMA_SOURCE:
        if (idle) this.#source = value;
        break;
      case R.DMA_DESTINATION:
        if (idle) this.#destination = value;
        break;
      case R.DMA_COUNT:
        if (idle) this.#count = value;
        break;
      case R.DMA_COMMAND:
        if (idle && (value & R.DMA_START) !== 0n) this.#startTransfer(value);
        break;
      default:
        this.#events.count(EduEvent.UNKNOWN_WRITE);
    }
  }

  // Interrupts

  /** E-20. */
  #raise(value: number): void {
    this.#interruptStatus = (this.#interruptStatus | value) >>> 0;
    if (this.#interruptStatus === 0) return;
    if (this.#messages?.msiEnabled === true) this.#messages.sendMessage();
    else this.#interrupt.set(1);
  }

  /** E-21. */
  #acknowledge(value: number): void {
    this.#interruptStatus = (this.#interruptStatus & ~value) >>> 0;
    if (this.#interruptStatus === 0 && this.#messages?.msiEnabled !== true) this.#interrupt.set(0);
  }

  // Factorial

  /** E-30. */
  #startFactorial(n: number): void {
    if ((this.#status & R.STATUS_COMPUTING) !== 0) return;
    this.#factorial = n;
    this.#status |= R.STATUS_COMPUTING;
    if (this.#factorialDue === undefined) this.#computed();
    else this.#factorialDue.arm(addNanoseconds(this.#hostClock!.now, n));
  }

  /** E-31. */
  #computed(): void {
    this.#factorial = factorial(this.#factorial);
    this.#status &= ~R.STATUS_COMPUTING;
    if ((this.#status & R.STATUS_INTERRUPT) !== 0) this.#raise(R.INTERRUPT_FACTORIAL);
  }

  // DMA

  /** E-41, E-42. */
  #startTransfer(command: bigint): void {
    this.#command = command;
    const startMs = BigInt(this.#clock.now) / NS_PER_MS;
    this.#transferDue.arm((startMs + TRANSFER_MS) * NS_PER_MS);
  }

  /** E-43. */
  #transfer(): void {
    if ((this.#command & R.DMA_TO_BUS) === 0n) {
      const buffer = this.#range(this.#destination);
      // A fresh array: what a failed read leaves in it is 0.
      const bytes = new Uint8Array(buffer.length);
      if (bytes.length > 0) this.#memory.txRead(this.#clamp(this.#source), bytes, this.#attrs, 'continue', this.#tx);
      buffer.set(bytes);
    } else {
      const buffer = this.#range(this.#source);
      if (buffer.length > 0)
        this.#memory.txWrite(this.#clamp(this.#destination), buffer.slice(), this.#attrs, 'continue', this.#tx);
    }
    const command = this.#command;
    this.#command &= ~R.DMA_START;
    if ((command & R.DMA_INTERRUPT) !== 0n) this.#raise(R.INTERRUPT_DMA);
  }

  /** The bytes of the buffer that a transfer names; none where it is not within the buffer (E-45). */
  #range(address: bigint): Uint8Array {
    const first = address - R.BUFFER_BASE;
    const size = BigInt(R.BUFFER_SIZE);
    if (this.#count === 0n) return this.#buffer.subarray(0, 0);
    if (first < 0n || first >= size || this.#count > size - first) {
      this.#events.count(EduEvent.BAD_TRANSFER);
      return this.#buffer.subarray(0, 0);
    }
    return this.#buffer.subarray(Number(first), Number(first + this.#count));
  }

  /** E-44. */
  #clamp(address: bigint): bigint {
    const clamped = address & this.#dmaMask;
    if (clamped !== address) this.#events.count(EduEvent.ADDRESS_CLAMPED);
    return clamped;
  }
}

const WIRING: readonly Part[] = [
  ['clock', 'timer'],
  ['memory', 'txRead'],
  ['interrupt', 'set'],
];
const WIRING_WITH_HOST: readonly Part[] = [...WIRING, ['hostClock', 'timer']];
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const NS_PER_MS = 1_000_000n;
const TRANSFER_MS = 100n;

/** n! modulo 2^32 (E-30). From 34 on it is 0: there are 32 factors of 2 in 34!. */
function factorial(n: number): number {
  if (n >= 34) return 0;
  let result = 1;
  for (let i = 2; i <= n; i++) result = Math.imul(result, i);
  return result >>> 0;
}
