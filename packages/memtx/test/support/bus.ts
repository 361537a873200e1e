/**
 * A small real backend for tests: RAM and byte-array devices at fixed addresses behind TxMemory. It follows:
 * transfers are cut into steps, a load or store is one dispatch that is never cut, and what cannot be done is a result.
 */
import {
  fromDevice,
  type MemTx,
  type MemTxAttrs,
  MemTxError,
  MemTxResult,
  type OnError,
  type TxMemory,
  toDevice,
} from '@guestmem/memtx';
import { type ByteOrder, type GuestAddress, type Ordering, type ScalarCodec, toAddress } from '@guestmem/vm-memory';

export interface Call {
  readonly op: 'read' | 'write';
  readonly offset: number;
  readonly size: number;
  readonly value: bigint;
  readonly attrs: MemTxAttrs;
}

/** A device that is an array of bytes; its numbers have the stated order. Takes 1, 2, 4 and 8 bytes up to `max`, aligned. */
export class ByteDevice {
  readonly bytes: Uint8Array;
  readonly order: ByteOrder;
  readonly max: number;
  readonly calls: Call[] = [];
  /** Bits that every access of an offset reports. */
  readonly faults = new Map<number, MemTxResult>();
  /** Runs inside every write: a device that accesses memory itself. */
  onWrite: (() => void) | null = null;

  constructor(length: number, order: ByteOrder, max = 8) {
    this.bytes = new Uint8Array(length);
    this.order = order;
    this.max = max;
  }

  accepts(offset: number, size: number): boolean {
    return size <= this.max && offset % size === 0 && offset + size <= this.bytes.length;
  }

  read(offset: number, size: number, attrs: MemTxAttrs): bigint {
    const bytes = [...this.bytes.subarray(offset, offset + size)];
    if (this.order === 'little') bytes.reverse();
    const value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    this.calls.push({ op: 'read', offset, size, value, attrs });
    return value;
  }

  write(offset: number, value: number | bigint, size: number, attrs: MemTxAttrs): void {
    this.calls.push({ op: 'write', offset, size, value: BigInt(value), attrs });
    for (let i = 0; i < size; i++) {
      const shift = BigInt(8 * (this.order === 'little' ? i : size - 1 - i));
      this.bytes[offset + i] = Number((BigInt(value) >> shift) & 0xffn);
    }
    this.onWrite?.();
  }
}

interface Part {
  readonly start: bigint;
  readonly length: number;
  readonly ram: Uint8Array | null;
  readonly device: ByteDevice | null;
}

/** See the header. */
export class Bus implements TxMemory {
  readonly #parts: Part[] = [];
  /** Attributes of every primitive call, newest last. */
  readonly seen: { what: string; attrs: MemTxAttrs; ordering?: Ordering | undefined }[] = [];

  ram(start: GuestAddress, length: number): Uint8Array {
    const ram = new Uint8Array(length);
    this.#parts.push({ start: BigInt(start), length, ram, device: null });
    return ram;
  }

  device(start: GuestAddress, device: ByteDevice): ByteDevice {
    this.#parts.push({ start: BigInt(start), length: device.bytes.length, ram: null, device });
    return device;
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T {
    const at = BigInt(toAddress(addr));
    this.seen.push({ what: 'load', attrs, ordering });
    const part = this.#find(at);
    const offset = part === undefined ? 0 : Number(at - part.start);
    if (part?.ram && offset + codec.size <= part.length) {
      settle(tx, MemTxResult.OK, codec.size);
      return codec.get(new DataView(part.ram.buffer), offset);
    }
    if (part?.device?.accepts(offset, codec.size)) {
      const raw = part.device.read(offset, codec.size, attrs);
      const result = part.device.faults.get(offset) ?? MemTxResult.OK;
      if (tx === null && result !== MemTxResult.OK) fail('load', result, addr, codec.size, 0);
      settle(tx, result, result === MemTxResult.OK ? codec.size : 0);
      return fromDevice(codec, raw, part.device.order);
    }
    if (tx === null) fail('load', MemTxResult.DECODE_ERROR, addr, codec.size, 0);
    settle(tx, MemTxResult.DECODE_ERROR, 0);
    return fromDevice(codec, 0, 'little');
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    const at = BigInt(toAddress(addr));
    this.seen.push({ what: 'store', attrs, ordering });
    const part = this.#find(at);
    const offset = part === undefined ? 0 : Number(at - part.start);
    let result: MemTxResult = MemTxResult.DECODE_ERROR;
    if (part?.ram && offset + codec.size <= part.length) {
      codec.set(new DataView(part.ram.buffer), offset, value);
      result = MemTxResult.OK;
    } else if (part?.device?.accepts(offset, codec.size)) {
      part.device.write(offset, toDevice(codec, value, part.device.order), codec.size, attrs);
      result = part.device.faults.get(offset) ?? MemTxResult.OK;
    }
    if (tx === null && result !== MemTxResult.OK) fail('store', result, addr, codec.size, 0);
    settle(tx, result, result === MemTxResult.OK ? codec.size : 0);
  }

  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.seen.push({ what: 'read', attrs });
    this.#bulk('read', addr, buf, attrs, onError, tx);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.seen.push({ what: 'write', attrs });
    this.#bulk('write', addr, buf, attrs, onError, tx);
  }

  #bulk(
    what: 'read' | 'write',
    addr: GuestAddress,
    buf: Uint8Array,
    attrs: MemTxAttrs,
    onError: OnError,
    tx: MemTx | null,
  ): void {
    const start = BigInt(toAddress(addr));
    let result: MemTxResult = MemTxResult.OK;
    let done = 0;
    for (let i = 0; i < buf.length; ) {
      const at = BigInt.asUintN(64, start + BigInt(i));
      const part = this.#find(at);
      const offset = part === undefined ? Number(at & 7n) : Number(at - part.start);
      const left = buf.length - i;
      let step = accessSize(left, part?.device?.max ?? 4, offset);
      let bits: MemTxResult = MemTxResult.OK;
      if (part?.ram) {
        step = Math.min(left, part.length - offset);
        if (what === 'read') buf.set(part.ram.subarray(offset, offset + step), i);
        else part.ram.set(buf.subarray(i, i + step), offset);
      } else if (part?.device?.accepts(offset, step)) {
        const order = part.device.order;
        const piece = [...buf.subarray(i, i + step)];
        if (what === 'write') {
          if (order === 'little') piece.reverse();
          part.device.write(
            offset,
            piece.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n),
            step,
            attrs,
          );
        } else {
          let value = part.device.read(offset, step, attrs);
          for (let k = 0; k < step; k++, value >>= 8n)
            buf[i + (order === 'little' ? k : step - 1 - k)] = Number(value & 0xffn);
        }
        bits = part.device.faults.get(offset) ?? MemTxResult.OK;
      } else {
        bits = MemTxResult.DECODE_ERROR;
        if (what === 'read' && onError === 'continue') buf.fill(0, i, i + step);
      }
      if (result === MemTxResult.OK && bits === MemTxResult.OK) done += step;
      result |= bits;
      if (result !== MemTxResult.OK && (onError === 'stop' || tx === null)) break;
      i += step;
    }
    if (tx === null && result !== MemTxResult.OK) fail(what, result, addr, buf.length, done);
    settle(tx, result, done);
  }

  #find(at: bigint): Part | undefined {
    return this.#parts.find((part) => at >= part.start && at < part.start + BigInt(part.length));
  }
}

/** */
function accessSize(left: number, max: number, offset: number): number {
  let limit = Math.min(left, max);
  if (offset !== 0) limit = Math.min(limit, offset & -offset);
  return limit >= 8 ? 8 : limit >= 4 ? 4 : limit >= 2 ? 2 : 1;
}

function settle(tx: MemTx | null, result: MemTxResult, done: number): void {
  if (tx === null) return;
  tx.result = result;
  tx.done = done;
}

function fail(what: string, result: MemTxResult, addr: GuestAddress, expected: number, completed: number): never {
  throw new MemTxError(what, result, { addr, expected, completed });
}
