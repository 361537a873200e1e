/**
 * An HPET as nobody would build it: every rule of H-30 to H-111 in bigints and loops, one after the other, with its own
 * clock. What hpet.ts does in steps and with numbers is compared with it.
 */

const low = (value: bigint): bigint => BigInt.asUintN(32, value);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const has = (config: bigint, bits: bigint): boolean => (config & bits) !== 0n;
const ENABLE = 4n;
const PERIODIC = 8n;
const VALUE_SET = 0x40n;
const MODE32 = 0x100n;
const FSB = 0x4000n;
const WRITABLE = 0x7f4en;
/** Additions that the model does for a comparator that is behind, before it gives up. */
const PATIENCE = 3000;

/** A comparator would take longer to catch up than a test has time (H-141). */
export class Endless extends Error {}

interface Timer {
  readonly index: number;
  config: bigint;
  comparator: bigint;
  period: bigint;
  message: bigint;
  wrapFirst: boolean;
  due: bigint | null;
  order: number;
}

/** See the header. */
export class HpetModel {
  now: bigint;
  /** As that of HpetBoard. */
  log: string[] = [];
  /** What messages have stored, by address. */
  readonly stores = new Map<bigint, bigint>();
  readonly timers: Timer[];
  readonly #count: number;
  readonly #resetConfig: bigint;
  readonly #levels = new Map<string, number>();
  #config = 0n;
  #status = 0n;
  #stored = 0n;
  #offset = 0n;
  #rtc = 0;
  #order = 0;

  constructor(now: bigint, count: number, msi: boolean) {
    this.now = now;
    this.#count = count;
    this.#resetConfig = msi ? 0x8030n : 0x30n;
    this.timers = Array.from({ length: count + 1 }, (_, index) => {
      const own = index < count; // H-100
      return {
        index,
        config: own ? this.#resetConfig : 0n,
        comparator: own ? u64(-1n) : 0n,
        period: 0n,
        message: 0n,
        wrapFirst: false,
        due: null,
        order: 0,
      };
    });
    this.#levels.set('g', 1);
  }

  /** H-30. */
  get counter(): bigint {
    return has(this.#config, 1n) ? this.#ticks : this.#stored;
  }
  get #ticks(): bigint {
    return u64(this.now + this.#offset) / 10n;
  }

  /** All words of the block by offset; what is not named reads 0. */
  words(routeCapability: number): Map<number, bigint> {
    const words = new Map<number, bigint>([
      [0x10, this.#config],
      [0x20, this.#status],
      [0xf0, low(this.counter)],
      [0xf4, this.counter >> 32n],
    ]);
    for (const { index, config, comparator, message } of this.timers) {
      const at = 0x100 + 0x20 * index;
      words.set(at, config).set(at + 4, index < this.#count ? BigInt(routeCapability) : 0n);
      words.set(at + 8, low(comparator)).set(at + 12, comparator >> 32n);
      words.set(at + 16, low(message)).set(at + 20, message >> 32n);
    }
    return words;
  }

  write(offset: number, value: bigint): void {
    const timer = this.timers[(offset - 0x100) >> 5];
    if (offset === 0x10) this.#writeConfig(value & 3n);
    else if (offset === 0x20) {
      for (const t of this.timers.slice(0, this.#count))
        if (has(value & this.#status, 1n << BigInt(t.index))) this.#deassert(t);
    } else if (offset === 0xf0) this.#stored = half(this.#stored, 0, value);
    else if (offset === 0xf4) this.#stored = half(this.#stored, 1, value);
    else if (timer !== undefined && offset >= 0x100) this.#writeTimer(timer, offset & 0x1f, value);
  }

  /** H-40 to H-45. */
  #writeConfig(config: bigint): void {
    const running = this.counter;
    const old = this.#config;
    this.#config = config;
    if (has(config & ~old, 1n)) {
      this.#offset = u64(this.#stored * 10n) - this.now;
      for (const t of this.timers.slice(0, this.#count)) if (t.comparator !== u64(-1n)) this.#arm(t);
    }
    if (has(old & ~config, 1n)) {
      this.#stored = running;
      for (const t of this.timers.slice(0, this.#count)) this.#stop(t);
    }
    if (has(config & ~old, 2n)) {
      this.#drive('g', 0);
      this.#drive('0', 0);
      this.#drive('8', 0);
    }
    if (has(old & ~config, 2n)) {
      this.#drive('0', 0);
      this.#drive('g', 1);
      this.#drive('8', this.#rtc);
    }
  }

  #writeTimer(t: Timer, register: number, value: bigint): void {
    const high = register === 0xc;
    if (register === 0) {
      const old = t.config;
      if (has(value & ~old, FSB)) this.#deassert(t); // H-50
      t.config = (value & WRITABLE) | (old & ~WRITABLE); // H-51
      if (has(value, MODE32)) {
        t.comparator = low(t.comparator); // H-52
        t.period = low(t.period);
      }
      if (has(value & ~old, ENABLE) && has(this.#config, 1n)) this.#arm(t); // H-53
      if (has(old & ~value, ENABLE)) this.#stop(t);
    } else if (register === 8 || high) {
      const periodic = has(t.config, PERIODIC);
      const set = !periodic || has(t.config, VALUE_SET);
      const step = has(t.config, MODE32) ? value & 0x7fff_ffffn : value;
      if (set) t.comparator = half(t.comparator, high ? 1 : 0, value);
      if (high ? !set : periodic) t.period = half(t.period, high ? 1 : 0, step);
      t.config &= ~VALUE_SET;
      if (has(this.#config, 1n)) this.#arm(t);
    } else if (register === 0x10) t.message = half(t.message, 0, value);
    else if (register === 0x14) t.message = half(t.message, 1, value);
  }

  /** H-60. */
  #distance(t: Timer, counter: bigint): bigint {
    const ahead = BigInt.asIntN(has(t.config, MODE32) ? 32 : 64, t.comparator - counter);
    return ahead > 0n ? ahead : 1n;
  }

  /** H-61. */
  #arm(t: Timer): void {
    let ticks = this.#distance(t, this.counter);
    t.wrapFirst = false;
    const wrap = 0xffff_ffffn - low(this.counter);
    if (has(t.config, MODE32) && !has(t.config, PERIODIC) && wrap < ticks) {
      ticks = wrap;
      t.wrapFirst = true;
    }
    this.#armFor(t, ticks);
  }

  /** H-62. */
  #armFor(t: Timer, ticks: bigint): void {
    t.due = ticks >= 461_168_601_842_738_790n ? null : this.now + 10n * ticks;
    t.order = ++this.#order;
  }

  /** H-70 to H-73. */
  #expired(t: Timer): void {
    t.due = null;
    const mode32 = has(t.config, MODE32);
    const c = this.#ticks;
    if (has(t.config, PERIODIC)) {
      if (t.period !== 0n) {
        for (let n = 0; BigInt.asIntN(mode32 ? 32 : 64, t.comparator - c) < 0n; n++) {
          if (n === PATIENCE) throw new Endless();
          t.comparator = mode32 ? low(t.comparator + t.period) : u64(t.comparator + t.period);
        }
        this.#armFor(t, this.#distance(t, c));
      }
    } else if (mode32 && t.wrapFirst) {
      t.wrapFirst = false;
      this.#armFor(t, this.#distance(t, c));
    }
    this.#assert(t);
  }

  /** H-81. */
  #assert(t: Timer): void {
    const bit = 1n << BigInt(t.index);
    if (!has(t.config, ENABLE) || !has(this.#config, 1n)) this.#deassert(t);
    else if (has(t.config, FSB)) this.stores.set(t.message >> 32n, low(t.message));
    else if (has(t.config, 2n)) {
      this.#status |= bit;
      this.#drive(this.#line(t), 1);
    } else {
      this.#status &= ~bit;
      this.#drive(this.#line(t), 1);
      this.#drive(this.#line(t), 0);
    }
  }

  /** H-82. */
  #deassert(t: Timer): void {
    this.#status &= ~(1n << BigInt(t.index));
    if (!has(t.config, FSB)) this.#drive(this.#line(t), 0);
  }

  /** H-74. */
  #stop(t: Timer): void {
    t.due = null;
    this.#deassert(t);
  }

  /** H-80. */
  #line(t: Timer): string {
    if (has(this.#config, 2n) && t.index < 2) return t.index === 0 ? '0' : '8';
    return `${(t.config >> 9n) & 31n}`;
  }

  #drive(line: string, level: number): void {
    if (line !== 'g' && Number(line) > 23) return;
    const high = level === 0 ? 0 : 1;
    if ((this.#levels.get(line) ?? 0) !== high)
      this.log.push(line === 'g' ? `g${high ? '+' : '-'}` : `${high ? '+' : '-'}${line}`);
    this.#levels.set(line, high);
  }

  /** H-95, H-96. */
  input(which: 'pit' | 'rtc', level: number): void {
    if (which === 'rtc') this.#rtc = level;
    if (!has(this.#config, 2n)) this.#drive(which === 'pit' ? '0' : '8', level);
  }

  /** H-110, H-111. */
  reset(): void {
    for (const t of this.timers.slice(0, this.#count)) {
      this.#stop(t);
      Object.assign(t, { config: this.#resetConfig, comparator: u64(-1n), period: 0n });
    }
    this.#drive('g', 1);
    this.#config = 0n;
    this.#stored = 0n;
    this.#offset = 0n;
    this.#rtc = 0;
  }

  /** H-62, H-115: timers run in the order of their due times, equal ones in that of arming. */
  step(ns: bigint): void {
    const target = this.now + ns;
    for (let n = 0; ; n++) {
      const [next] = this.timers
        .filter(({ due }) => due !== null && due <= target)
        .sort((a, b) => (a.due! < b.due! ? -1 : a.due! > b.due! ? 1 : a.order - b.order));
      if (next === undefined) break;
      if (n === PATIENCE) throw new Endless();
      if (next.due! > this.now) this.now = next.due!;
      this.#expired(next);
    }
    this.now = target;
  }
}

/** `value` with its low (0) or high (1) half replaced. */
function half(value: bigint, which: 0 | 1, word: bigint): bigint {
  return which === 0 ? ((value >> 32n) << 32n) | word : low(value) | (word << 32n);
}
