/**
 * Random scripts for one machine with an HPET, an edu card, RAM, ROM and chipset registers. They stay away from what ends or hangs
 * the real program (bad DMA, E-45; catching up for ever, H-141) and from devices outside the model.
 */
import { hex, Random } from './random.ts';

/** One line of a script: a command, or a pause in ms (`sleep 30`). */
export type Line = string;

/** A script and the arguments of its machine. */
export interface Script {
  readonly args: readonly string[];
  readonly lines: readonly Line[];
}

/** What a script is about. */
export const SUBJECTS = ['hpet', 'edu', 'ram', 'mixed'] as const;
export type Subject = (typeof SUBJECTS)[number];

const HPET = 0xfed0_0000;
const HPET_PATH = '/machine/unattached/device[7]';
const BARS = [0xe000_0000, 0xe010_0000, 0xc000_0000, 0xd000_0000];
const RAM_END = 64 * 1024 * 1024;

/** Makes the script of `seed`: `length` commands, give or take. */
export function generate(seed: number, subject: Subject, length: number): Script {
  const random = new Random(seed);
  const timers = random.pick([3, 3, 4, 8, 32]);
  const args = ['-M', 'q35,pit=off', '-m', '64M', '-bios', 'rom64k.bin', '-device', 'edu,addr=4'];
  args.push('-global', `hpet.timers=${timers}`, '-global', `hpet.msi=${random.pick(['on', 'off'])}`);
  if (random.chance(50)) args.push('-global', 'edu.dma_mask=0xffffffffffffffff');
  const writer = new Writer(random, timers);
  writer.setUp();
  while (writer.lines.length < length)
    writer.step(subject === 'mixed' ? random.pick(['hpet', 'hpet', 'edu', 'ram']) : subject);
  return { args, lines: writer.lines };
}

class Writer {
  readonly lines: Line[] = [];
  readonly #random: Random;
  readonly #timers: number;
  #bar = BARS[0]!;

  constructor(random: Random, timers: number) {
    this.#random = random;
    this.#timers = timers;
  }

  setUp(): void {
    this.#say('irq_intercept_in ioapic');
    this.#config(0x2010, this.#bar);
    this.#config(0x2004, 6);
  }

  step(subject: Exclude<Subject, 'mixed'>): void {
    if (subject === 'hpet') this.#hpet();
    else if (subject === 'edu') this.#edu();
    else this.#ram();
  }

  #say(line: Line): void {
    this.lines.push(line);
  }

  #config(address: number, value: number): void {
    this.#say(`outl 0xcf8 ${hex(0x8000_0000 + address)}`);
    this.#say(`outl 0xcfc ${hex(value >>> 0)}`);
  }

  // HPET

  #hpet(): void {
    const random = this.#random;
    const roll = random.below(100);
    if (roll < 30) this.#hpetRead();
    else if (roll < 50) this.#clock();
    else if (roll < 58)
      this.#say(`writel ${hex(HPET + 0x10)} ${hex(random.pick([0, 1, 1, 1, 3, 3, 2, random.u32()]))}`);
    else if (roll < 62)
      this.#say(`writel ${hex(HPET + 0x20)} ${hex(random.pick([1, 2, 4, 7, 0xffff_ffff, random.u32()]))}`);
    else if (roll < 65) this.#counterWrite();
    else if (roll < 76) this.#timerConfig();
    else if (roll < 90) this.#comparator();
    else if (roll < 94) this.#message();
    else if (roll < 96) this.#say(`set_irq_in ${HPET_PATH} unnamed-gpio-in ${random.below(2)} ${random.below(2)}`);
    else if (roll < 99) this.#oddWrite();
    else if (random.chance(30)) this.#say('outb 0xcf9 0x06');
  }

  #timer(): number {
    return HPET + 0x100 + 0x20 * this.#random.below(Math.min(this.#timers + 2, 24));
  }

  #hpetRead(): void {
    const random = this.#random;
    const at = random.chance(60)
      ? this.#timer() + 4 * random.below(8)
      : HPET + random.pick([0, 4, 0x10, 0x20, 0xf0, 0xf0, 0xf4, 0x3fc, random.below(0x400)]);
    if (random.chance(10)) this.#say(`read ${hex(at)} ${random.between(1, 24)}`);
    else this.#say(`${random.pick(['readl', 'readl', 'readq', 'readq', 'readw', 'readb'])} ${hex(at)}`);
  }

  #clock(): void {
    const random = this.#random;
    const roll = random.below(10);
    if (roll === 0) this.#say('clock_step');
    else if (roll === 1) this.#say(`clock_step ${random.pick([0, 1, 9, 10, 11, 100, -1])}`);
    else this.#say(`clock_step ${random.between(1, random.pick([100, 2000, 20_000, 200_000]))}`);
  }

  #counterWrite(): void {
    const random = this.#random;
    if (random.chance(70)) this.#say(`writel ${hex(HPET + 0x10)} ${hex(random.pick([0, 2]))}`);
    const lo = random.pick([0, random.below(0x10000), 0xffff_ff00 + random.below(256), 0x7fff_ff00, random.u32()]);
    const hi = random.pick([0, 0, 0, 1, 2, 0x1999_9999]);
    if (random.chance(50)) this.#say(`writeq ${hex(HPET + 0xf0)} ${hex((BigInt(hi) << 32n) | BigInt(lo))}`);
    else this.#say(`writel ${hex(HPET + 0xf0 + 4 * random.below(2))} ${hex(random.pick([lo, hi]))}`);
    if (random.chance(70)) this.#say(`writel ${hex(HPET + 0x10)} 0x1`);
  }

  #timerConfig(): void {
    const random = this.#random;
    let value = random.pick([
      0x4,
      0x6,
      0xc,
      0xe,
      0x104,
      0x106,
      0x10c,
      0x4c,
      0x14c,
      0x4004,
      0x4006,
      random.u32() & 0xffff,
    ]);
    value |= random.pick([0, 8, 16, 19, 20, 23, 24, 31]) << 9;
    this.#say(`writel ${hex(this.#timer())} ${hex(value)}`);
  }

  /** Periods and comparators of 100 ticks and more: smaller ones make storms. */
  #comparator(): void {
    const random = this.#random;
    const at = this.#timer() + 8;
    const lo = random.pick([
      random.between(100, 4000),
      random.between(100, 40_000),
      random.between(1000, 200_000),
      0xffff_ff00 + random.below(256),
      0x8000_0000 + random.below(0x1000),
      random.between(100, 0xffff_ffff),
    ]);
    const hi = random.pick([0, 0, 0, 0, 0, 1, 2, 0xffff_ffff]);
    const roll = random.below(4);
    if (roll === 0) this.#say(`writeq ${hex(at)} ${hex((BigInt(hi) << 32n) | BigInt(lo))}`);
    else if (roll === 1) this.#say(`writel ${hex(at + 4)} ${hex(hi)}`);
    else this.#say(`writel ${hex(at)} ${hex(lo)}`);
  }

  #message(): void {
    const random = this.#random;
    const addr = random.pick([
      0x20_0000 + random.below(64),
      RAM_END - random.below(8),
      HPET + 4 * random.below(0x80),
      0x900_0000,
      0xffff_0000,
      0xfee0_0000,
    ]);
    const data = addr >= HPET && addr < HPET + 0x400 ? random.between(100, 5000) : random.u32();
    this.#say(`writeq ${hex(this.#timer() + 0x10)} ${hex((BigInt(addr) << 32n) | BigInt(data))}`);
    if (random.chance(40)) this.#say(`read 0x200000 ${random.pick([8, 64])}`);
  }

  #oddWrite(): void {
    const random = this.#random;
    const at = HPET + random.below(0x400);
    const size = random.pick(['b', 'w']);
    if (random.chance(70)) this.#say(`write${size} ${hex(at)} ${hex(random.below(0x10000))}`);
    else if (random.chance(50)) this.#say(`writel ${hex(at | 1)} ${hex(random.u32())}`);
    else this.#say(`write ${hex(HPET + 0x20 * random.between(12, 31) + 0x1c)} 4 0x${random.bytes(4)}`);
  }

  // edu

  #edu(): void {
    const random = this.#random;
    const roll = random.below(100);
    if (roll < 30) this.#eduRead();
    else if (roll < 40) this.#eduWrite();
    else if (roll < 55)
      this.#say(
        `writel ${hex(this.#bar + random.pick([0x60, 0x64]))} ${hex(random.pick([0, 1, 2, 0x100, 0xffff_ffff]))}`,
      );
    else if (roll < 72) this.#dma();
    else if (roll < 80)
      this.#say(
        `clock_step ${random.pick([100_000_000, 50_000_000, 99_999_999, 1_000_000, random.below(200_000_000)])}`,
      );
    else if (roll < 92) this.#eduConfig();
    else if (roll < 93) this.#factorial();
    else this.#say(`read ${hex(random.pick([0x10_0000, 0x20_0000, 0x20_0010, RAM_END - 16]))} 32`);
  }

  #eduRead(): void {
    const random = this.#random;
    const at =
      this.#bar + random.pick([0, 4, 8, 0x20, 0x24, 0x60, 0x80, 0x88, 0x90, 0x98, 0x84, 0x40000, random.below(0x200)]);
    this.#say(`${random.pick(['readl', 'readl', 'readl', 'readq', 'readw', 'readb'])} ${hex(at)}`);
  }

  #eduWrite(): void {
    const random = this.#random;
    const at = random.pick([4, 4, 0x20, 0x20, 0, 0x24, 0x100, 0x84, random.between(0x28, 0x5c)]);
    // 8 bytes at 4 would start a factorial that takes the real worker seconds.
    const command = at === 4 ? 'writel' : random.pick(['writel', 'writel', 'writeq', 'writew']);
    this.#say(`${command} ${hex(this.#bar + at)} ${hex(random.u32())}`);
  }

  /** Within what 7.2 accepts: a count of at least 1, the end before the last byte of the buffer. */
  #dma(): void {
    const random = this.#random;
    const offset = random.pick([0, 1, 8, random.below(4000)]);
    const count = random.between(1, Math.min(4095 - offset, random.pick([8, 32, 64, 4095])));
    const buffer = 0x4_0000 + offset;
    const bus = random.pick([
      0x10_0000 + random.below(64),
      0x20_0000,
      RAM_END - random.below(32),
      0x1010_0000,
      0x900_0000,
      this.#bar + random.pick([0, 4, 8, 0x10]),
      0xf_0000,
      HPET + 0x100,
    ]);
    const toBus = random.chance(50) && bus < 0xa000_0000;
    if (random.chance(60)) this.#say(`write 0x100000 32 0x${random.bytes(32)}`);
    this.#say(`writeq ${hex(this.#bar + 0x80)} ${hex(toBus ? buffer : bus)}`);
    this.#say(`writeq ${hex(this.#bar + 0x88)} ${hex(toBus ? bus : buffer)}`);
    this.#say(`writeq ${hex(this.#bar + 0x90)} ${hex(count)}`);
    const command = (toBus ? 3 : 1) | random.pick([0, 4]) | random.pick([0, 0, 0xf0]);
    this.#say(`${random.pick(['writeq', 'writel'])} ${hex(this.#bar + 0x98)} ${hex(command)}`);
  }

  #eduConfig(): void {
    const random = this.#random;
    const roll = random.below(10);
    if (roll < 3) this.#config(0x2004, random.pick([6, 6, 6, 2, 4, 0, 0x406, 0x507, 0xffff_ffff]));
    else if (roll < 4) this.#config(0x2040, random.pick([0x81_0005, 0x80_0005]));
    else if (roll < 6) {
      this.#config(0x2044, random.pick([0x10_0010, 0x20_0000, 0x900_0000, 0xfee0_0000]));
      this.#config(0x204c, random.u32());
    } else if (roll < 7) {
      this.#bar = random.pick(BARS);
      this.#config(0x2010, this.#bar);
    } else {
      this.#say(
        `outl 0xcf8 ${hex(0x8000_2000 + 4 * random.pick([0, 1, 2, 3, 4, 5, 0xb, 0xd, 0xf, 0x10, 0x11, 0x12, 0x13, 0x14]))}`,
      );
      this.#say(`${random.pick(['inl 0xcfc', 'inw 0xcfe', 'inb 0xcfd', 'inw 0xcfc'])}`);
    }
  }

  /** The real worker is a thread: it gets time. */
  #factorial(): void {
    this.#say(`writel ${hex(this.#bar + 8)} ${hex(this.#random.below(50))}`);
    this.#say('sleep 200');
    this.#say(`readl ${hex(this.#bar + 8)}`);
  }

  // RAM, ROM, holes, chipset

  #ram(): void {
    const random = this.#random;
    const roll = random.below(100);
    if (roll < 30) this.#say(`${random.pick(['readb', 'readw', 'readl', 'readq'])} ${hex(this.#place())}`);
    else if (roll < 60)
      this.#say(
        `${random.pick(['writeb', 'writew', 'writel', 'writeq'])} ${hex(this.#place())} ${hex((BigInt(random.u32()) << 32n) | BigInt(random.u32()))}`,
      );
    else if (roll < 70) this.#say(`read ${hex(this.#place())} ${random.between(1, 80)}`);
    else if (roll < 76) {
      const n = random.between(1, 40);
      this.#say(`write ${hex(this.#place())} ${n} 0x${random.bytes(random.pick([n, n, n + 3, Math.max(1, n - 2)]))}`);
    } else if (roll < 80)
      this.#say(`memset ${hex(this.#place())} ${random.pick([1, 7, 64, 5000])} ${hex(random.u32())}`);
    else if (roll < 83) this.#say(`b64read ${hex(this.#place())} ${random.between(0, 30)}`);
    else if (roll < 92) this.#pam();
    else this.#port();
  }

  #place(): bigint {
    const random = this.#random;
    const border = random.pick([
      0x10_0000n,
      0xa_0000n,
      0xc_0000n,
      0xc_4000n,
      0xd_8000n,
      0xe_0000n,
      0xf_0000n,
      BigInt(RAM_END),
      0x8000_0000n,
      0xffff_0000n,
      0x1_0000_0000n,
      0n,
      0x1000n,
      0x20_0000n,
      0x10_0000_0000n,
    ]);
    return BigInt.asUintN(64, border + BigInt(random.between(-40, 40)));
  }

  #pam(): void {
    const random = this.#random;
    if (random.chance(25)) {
      this.#say('outl 0xcf8 0x8000009c');
      const at = random.pick([0xcfd, 0xcfe]);
      // Not locked often, and no TSEG.
      if (random.chance(60)) this.#say(`outb ${hex(at)} ${hex(random.below(256) & (random.chance(95) ? 0xe8 : 0xf8))}`);
      else this.#say(`inb ${hex(at)}`);
      return;
    }
    const register = random.below(7);
    this.#say(`outl 0xcf8 ${hex(0x8000_0090 + (register & 4))}`);
    const at = 0xcfc + (register & 3);
    if (random.chance(70)) this.#say(`outb ${hex(at)} ${hex(random.below(256))}`);
    else this.#say(`inb ${hex(at)}`);
  }

  #port(): void {
    const random = this.#random;
    const port = random.pick([0x80, 0x1234, 0x300, 0xffff, 0xcf8, 0xcfa, 0xcfc, 0xcfe]);
    if (random.chance(75)) this.#say(`${random.pick(['inb', 'inw', 'inl'])} ${hex(port)}`);
    else if (port === 0xcf8)
      this.#say(`outl 0xcf8 ${hex(0x8000_0000 + random.pick([0, 0x2000, 0x2010, 0x2040, 0xf800, 0x1000]))}`);
    else if (port < 0xcf8 || port > 0xcff)
      this.#say(`${random.pick(['outb', 'outw', 'outl'])} ${hex(port)} ${hex(random.u32())}`);
  }
}
