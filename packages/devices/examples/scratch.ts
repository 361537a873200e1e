import { defineRegisters, InterruptLine, type InterruptSink, RegisterFile, registerTable } from '@guestmem/devices';

const MAP = defineRegisters({
  ID: { offset: 0x0, width: 32, reset: 0x5c7a_0001, doc: 'identification' },
  SCRATCH: { offset: 0x4, width: 32, write: 0xffff_ffff, doc: 'keeps what is written' },
  CTRL: { offset: 0x8, width: 32, write: 0x1, fields: { ENABLE: { shift: 0 } }, doc: 'interrupt enable' },
  STATUS: { offset: 0xc, width: 32, clear: 0x1, doc: 'bit 0: SCRATCH was written' },
});

/** Raises its interrupt when SCRATCH is written, until the guest writes 1 to STATUS. */
class Scratch {
  readonly registers: RegisterFile<typeof MAP>;
  readonly #interrupt: InterruptSink;

  constructor(interrupt: InterruptSink) {
    this.#interrupt = interrupt;
    const drive = () => this.#drive();
    this.registers = new RegisterFile(
      MAP,
      { SCRATCH: { onWrite: () => this.#written() }, CTRL: { onWrite: drive }, STATUS: { onWrite: drive } },
      { minAccessSize: 4 },
    );
  }

  #written(): void {
    this.registers.set('STATUS', 1);
    this.#drive();
  }

  #drive(): void {
    this.#interrupt.set(this.registers.field('CTRL', 'ENABLE') & this.registers.get('STATUS'));
  }
}

// Tested without a guest, without an address space: call what the memory core would call.
const line = new InterruptLine('scratch');
const { registers } = new Scratch(line);
const { ops } = registers;
ops.write?.(0x8, 0xffff_ffff, 4);
console.log(ops.read?.(0x8, 4)); // 1
ops.write?.(0x4, 42, 4);
console.log(ops.read?.(0x4, 4), ops.read?.(0xc, 4), line.level); // 42 1 1
ops.write?.(0xc, 1, 4);
console.log(ops.peek?.(0xc, 4), line.level); // 0 0
console.log(registerTable(MAP).split('\n')[3]); // | 0x4 | SCRATCH | 32 | RW 0xffffffff | 0x0 | keeps what is written |
