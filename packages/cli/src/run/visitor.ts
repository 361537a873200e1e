/** Performs accesses through the safe interface and writes down what came of them. */
import { MemTx, type MemTxView } from '@guestmem/memtx';
import type { AddressSpace } from '@guestmem/qemu-memory';
import type { ScalarCodec } from '@guestmem/vm-memory';
import { bytes, outcome, type Step, word } from './step.ts';

export const OK = 'OK';
export const DECODE_ERROR = 'DECODE_ERROR';
export const ACCESS_ERROR = 'ACCESS_ERROR';

/** A view on one address space with QEMU's policy: go on after an error, OR the results. */
export class Visitor {
  readonly steps: Step[] = [];
  readonly space: AddressSpace;
  readonly #tx = new MemTx();
  #view: MemTxView;

  constructor(space: AddressSpace) {
    this.space = space;
    this.#view = space.with({ onError: 'continue', tx: this.#tx });
  }

  /** Attributes for the accesses that follow; none for the default. */
  carry(attrs: { requesterId?: number; memory?: boolean; secure?: boolean } = {}): void {
    this.#view = this.space.with({ ...attrs, onError: 'continue', tx: this.#tx });
  }

  /** One load; `value` and `result` are what QEMU gives. */
  load(addr: bigint, codec: ScalarCodec<number>, value: number, result: string, rule: string, note = ''): void {
    const got = this.#view.load(addr, codec);
    this.#note(
      `load ${codec.name}`,
      addr,
      word(got, codec.size),
      { value: word(value, codec.size), result },
      rule,
      note,
    );
  }

  /** One store. */
  store(addr: bigint, codec: ScalarCodec<number>, value: number, result: string, rule: string, note = ''): void {
    this.#view.store(addr, codec, value);
    const said = word(value, codec.size);
    this.#note(`store ${codec.name}`, addr, said, { value: said, result }, rule, note);
  }

  /** A transfer of `wanted.length` bytes into a buffer of zeros. */
  read(addr: bigint, wanted: Uint8Array, result: string, rule: string, note = ''): void {
    const buffer = new Uint8Array(wanted.length);
    this.#view.read(buffer, addr);
    this.#note(`read ${wanted.length} bytes`, addr, bytes(buffer), { value: bytes(wanted), result }, rule, note);
  }

  write(addr: bigint, data: Uint8Array, result: string, rule: string, note = ''): void {
    this.#view.write(data, addr);
    this.#note(`write ${data.length} bytes`, addr, bytes(data), { value: bytes(data), result }, rule, note);
  }

  #note(what: string, addr: bigint, value: string, expected: Step['expected'], rule: string, note: string): void {
    const access = `${what} @0x${addr.toString(16)}${note === '' ? '' : `, ${note}`}`;
    this.steps.push({ access, landed: this.#landed(addr), value, result: outcome(this.#tx), expected, rule });
  }

  #landed(addr: bigint): string {
    const index = this.space.view.find(addr);
    return index < 0 ? 'nothing' : this.space.view.range(index).region.name;
  }
}
