import { InterruptLine, type InterruptSink } from '@guestmem/devices';
import type { MemoryRegionOps } from '@guestmem/qemu-memory';

/** The same device without a map: one arm per register. */
class Scratch {
  readonly ops: MemoryRegionOps;
  readonly #interrupt: InterruptSink;
  #scratch = 0;
  #ctrl = 0;
  #status = 0;

  constructor(interrupt: InterruptSink) {
    this.#interrupt = interrupt;
    this.ops = {
      endianness: 'little',
      valid: { minAccessSize: 4, maxAccessSize: 4 },
      impl: { minAccessSize: 4, maxAccessSize: 4 },
      read: (offset) => this.#read(offset),
      write: (offset, value) => this.#write(offset, value),
      peek: (offset) => this.#read(offset),
    };
  }

  #read(offset: number): number {
    if (offset === 0x0) return 0x5c7a_0001;
    if (offset === 0x4) return this.#scratch;
    if (offset === 0x8) return this.#ctrl;
    return offset === 0xc ? this.#status : 0;
  }

  #write(offset: number, value: number): void {
    if (offset === 0x4) {
      this.#scratch = value;
      this.#status = 1;
    } else if (offset === 0x8) this.#ctrl = value & 1;
    else if (offset === 0xc) this.#status &= ~value;
    this.#interrupt.set(this.#ctrl & this.#status);
  }
}

const line = new InterruptLine('scratch');
const { ops } = new Scratch(line);
ops.write?.(0x8, 0xffff_ffff, 4);
ops.write?.(0x4, 42, 4);
console.log(ops.read?.(0x4, 4), ops.read?.(0xc, 4), line.level); // 42 1 1
ops.write?.(0xc, 1, 4);
console.log(ops.peek?.(0xc, 4), line.level); // 0 0
