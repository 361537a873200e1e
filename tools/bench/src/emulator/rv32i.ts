/**
 * A small RV32I interpreter, as programs have them: one function with every access in it. Its source is generated, so that
 * each memory is reached as a program for it would be written; everything else is the same for all.
 * The RISC-V Instruction Set Manual, volume I, chapter 2 (no fences, no system calls, no traps).
 */

/** How a memory is reached: source text of an expression, or a statement, over an address and a value. */
export interface MemorySource {
  readonly lb: (addr: string) => string;
  readonly lh: (addr: string) => string;
  readonly lw: (addr: string) => string;
  readonly lbu: (addr: string) => string;
  readonly lhu: (addr: string) => string;
  readonly sb: (addr: string, value: string) => string;
  readonly sh: (addr: string, value: string) => string;
  readonly sw: (addr: string, value: string) => string;
}

/** The registers. */
export interface Hart {
  readonly x: Int32Array;
  pc: number;
}

/** Runs `count` instructions; gives x3. */
export type Run = (hart: Hart, count: number) => number;

export function interpreter(scope: Readonly<Record<string, unknown>>, memory: MemorySource): Run {
  const source = `const { ${Object.keys(scope).join(', ')} } = scope;
  return function run(hart, count) {
    const { x } = hart;
    let pc = hart.pc >>> 0;
    for (let n = 0; n < count; n++) {
      const insn = ${memory.lw('pc')};
      const rd = (insn >>> 7) & 31;
      const a = x[(insn >>> 15) & 31];
      const b = x[(insn >>> 20) & 31];
      const imm = insn >> 20;
      const funct = (insn >>> 12) & 7;
      let next = (pc + 4) >>> 0;
      let value = 0;
      switch (insn & 0x7f) {
        case 0x03: {
          const addr = (a + imm) >>> 0;
          switch (funct) {
            case 0: value = ${memory.lb('addr')}; break;
            case 1: value = ${memory.lh('addr')}; break;
            case 2: value = ${memory.lw('addr')}; break;
            case 4: value = ${memory.lbu('addr')}; break;
            default: value = ${memory.lhu('addr')};
          }
          break;
        }
        case 0x23: {
          const addr = (a + (((insn >> 25) << 5) | rd)) >>> 0;
          switch (funct) {
            case 0: ${memory.sb('addr', 'b')}; break;
            case 1: ${memory.sh('addr', 'b')}; break;
            default: ${memory.sw('addr', 'b')};
          }
          pc = next;
          continue;
        }
        case 0x63: {
          let taken = false;
          switch (funct) {
            case 0: taken = a === b; break;
            case 1: taken = a !== b; break;
            case 4: taken = a < b; break;
            case 5: taken = a >= b; break;
            case 6: taken = a >>> 0 < b >>> 0; break;
            default: taken = a >>> 0 >= b >>> 0;
          }
          if (taken)
            next = (pc + (((insn >> 31) << 12) | ((insn << 4) & 0x800) | ((insn >>> 20) & 0x7e0) | ((insn >>> 7) & 0x1e))) >>> 0;
          pc = next;
          continue;
        }
        case 0x13: value = operation(a, imm, funct, funct === 5 && (insn & 0x40000000) !== 0); break;
        case 0x33: value = operation(a, b, funct, (insn & 0x40000000) !== 0); break;
        case 0x37: value = insn & 0xfffff000; break;
        case 0x17: value = (pc + (insn & 0xfffff000)) | 0; break;
        case 0x6f:
          value = next | 0;
          next = (pc + (((insn >> 31) << 20) | (insn & 0xff000) | ((insn >>> 9) & 0x800) | ((insn >>> 20) & 0x7fe))) >>> 0;
          break;
        case 0x67:
          value = next | 0;
          next = ((a + imm) & ~1) >>> 0;
          break;
        default: throw new Error('no instruction at ' + pc.toString(16));
      }
      if (rd !== 0) x[rd] = value;
      pc = next;
    }
    hart.pc = pc;
    return x[3];
  };
  function operation(a, b, funct, other) {
    switch (funct) {
      case 0: return other ? a - b : a + b;
      case 1: return a << (b & 31);
      case 2: return a < b ? 1 : 0;
      case 3: return a >>> 0 < b >>> 0 ? 1 : 0;
      case 4: return a ^ b;
      case 5: return other ? a >> (b & 31) : a >>> (b & 31);
      case 6: return a | b;
      default: return a & b;
    }
  }`;
  return new Function('scope', source)(scope) as Run;
}

const register = (rs2: number, rs1: number, funct: number, rd: number): number =>
  (rs2 << 20) | (rs1 << 15) | (funct << 12) | (rd << 7) | 0x33;
const immediate = (imm: number, rs1: number, funct: number, rd: number, opcode = 0x13): number =>
  (imm << 20) | (rs1 << 15) | (funct << 12) | (rd << 7) | opcode;
const load = (imm: number, rs1: number, funct: number, rd: number): number => immediate(imm, rs1, funct, rd, 0x03);
const store = (imm: number, rs2: number, rs1: number, funct: number): number =>
  ((imm >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (funct << 12) | ((imm & 31) << 7) | 0x23;
const branch = (by: number, rs2: number, rs1: number, funct: number): number =>
  ((by >> 12) << 31) |
  (((by >> 5) & 0x3f) << 25) |
  (rs2 << 20) |
  (rs1 << 15) |
  (funct << 12) |
  (((by >> 1) & 15) << 8) |
  (((by >> 11) & 1) << 7) |
  0x63;
const jump = (by: number): number =>
  ((by >> 20) << 31) | (((by >> 1) & 0x3ff) << 21) | (((by >> 11) & 1) << 20) | (((by >> 12) & 0xff) << 12) | 0x6f;
const upper = (value: number, rd: number): number => (value & 0xffff_f000) | (rd << 7) | 0x37;

/**
 * Walks 4 KiB of RAM with loads and stores of every size, for ever; every 64th round reads and writes a device. Of 21
 * instructions, 7 reach memory beside being fetched.
 *
 * @param ram address of the RAM, a multiple of 64 KiB, in which the program lies at 0; @param device address of the device.
 */
export function program(ram: number, device: number): readonly number[] {
  const start = [
    upper(ram + 0x1_0000, 1), // x1: the bytes
    upper(device, 9),
    upper(0x1000, 4), // x4: how many
    immediate(0, 0, 0, 2), // x2: which one; x3: a sum
  ];
  const round = [
    register(2, 1, 0, 5),
    store(0, 3, 5, 0), // sb
    load(0, 5, 4, 6), // lbu
    register(6, 3, 0, 3),
    load(-2, 5, 1, 7), // lh
    register(7, 3, 4, 3),
    immediate(-4, 2, 7, 8),
    register(8, 1, 0, 8),
    load(0, 8, 2, 7), // lw
    register(7, 3, 0, 3),
    store(4, 3, 8, 2), // sw
    store(10, 3, 8, 1), // sh
    load(6, 8, 5, 7), // lhu
    register(7, 3, 4, 3),
    load(1, 5, 0, 7), // lb
    register(7, 3, 0, 3),
    immediate(63, 2, 7, 7),
    branch(16, 0, 7, 1),
    load(0, 9, 2, 7),
    register(7, 3, 0, 3),
    store(4, 3, 9, 2),
    immediate(1, 2, 0, 2),
  ];
  const again = branch(-4 * round.length, 4, 2, 6);
  return [...start, ...round, again, jump(-4 * (round.length + 2))];
}
