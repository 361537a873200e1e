/**
 * The high precision event timer block: a counter of 10 ns ticks and 3 to 32 comparators that raise interrupt lines or
 * store messages. As QEMU 7.2 models it, its departures from IA-PC HPET 1.0a included (H-140 to H-149); the differences are
 * listed in this package's README. It knows neither where it is mapped nor who owns its lines. Rules H-10 to H-119.
 */
import type { TxMemory } from '@guestmem/memtx';
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import { shown } from '@guestmem/vm-memory';
import { addNanoseconds, type Clock, toNanoseconds } from '../clock/clock.ts';
import { type DeviceEvents, NO_EVENTS } from '../events.ts';
import type { InterruptSink } from '../irq/interrupt-line.ts';
import { checkWiring, type Part } from '../wiring.ts';
import { catchUp, distance, ticksToWrap } from './comparator.ts';
import { HpetTimer, u64 } from './hpet-timer.ts';
import { HpetEvent, HpetInterrupts } from './interrupts.ts';
import { MainCounter } from './main-counter.ts';
import * as R from './registers.ts';
import { type HpetState, readHpetState, timerState } from './state.ts';

/** What the block is wired to, and its options (H-2). */
export interface HpetOptions {
  readonly clock: Clock;
  /** Where messages are stored: the system address space. */
  readonly memory: TxMemory;
  /** Interrupt outputs 0 to 31; an absent one is connected to nothing (H-4). */
  readonly outputs: readonly (InterruptSink | undefined)[];
  /** The output that gates the PIT: high but in legacy mode. */
  readonly pitGate?: InterruptSink;
  readonly events?: DeviceEvents;
  /** 3 to 32; others become the nearest of these. Default 3. */
  readonly timers?: number;
  /** Does a timer say that it can send messages? It can, either way (H-22). Default false. */
  readonly msi?: boolean;
  /** Bit n: a timer may be routed to line n. Only told to the guest (H-80). Default 4. */
  readonly routeCapability?: number;
}

/** One block. Map `ops` with a region of HPET_SIZE bytes. */
export class Hpet {
  /** The register block: accesses of 4 aligned bytes, little-endian (H-10). */
  readonly ops: MemoryRegionOps;
  /** Timers of the block, 3 to 32. The register set after the last belongs to none of them (H-100). */
  readonly timers: number;
  readonly #clock: Clock;
  readonly #pitGate: InterruptSink | undefined;
  readonly #events: DeviceEvents;
  readonly #routeCapability: number;
  readonly #resetConfig: number;
  readonly #capabilitiesLo: number;
  readonly #counter: MainCounter;
  readonly #interrupts: HpetInterrupts;
  readonly #sets: HpetTimer[] = [];
  #config = 0;
  /** Level the RTC input last had (H-96), the low 8 bits of it: QEMU keeps a byte. */
  #rtcLevel = 0;

  /** @param saved internal: the state of `fromState`. Without, the block is as after power-on. @throws {TypeError} a part of the wiring is missing. */
  constructor(options: HpetOptions, saved: HpetState | null = null) {
    checkWiring('Hpet', options, WIRING);
    if (!Array.isArray(options.outputs))
      throw new TypeError(`Hpet needs options.outputs, an array of interrupt sinks, not ${shown(options.outputs)}`);
    for (const [i, output] of options.outputs.entries())
      if (output !== undefined) checkWiring('Hpet', { [`outputs[${i}]`]: output }, [[`outputs[${i}]`, 'set']]);
    this.#clock = options.clock;
    this.#pitGate = options.pitGate;
    this.#events = options.events ?? NO_EVENTS;
    this.#counter = new MainCounter(options.clock);
    this.#interrupts = new HpetInterrupts(options.memory, options.outputs, this.#events);
    this.timers = Math.min(Math.max(Math.trunc(options.timers ?? 3) || 3, 3), 32);
    this.#capabilitiesLo = (0x8086_a001 | ((this.timers - 1) << 8)) >>> 0;
    this.#routeCapability = (options.routeCapability ?? 4) >>> 0;
    this.#resetConfig = R.TN_PERIODIC_CAP | R.TN_64BIT_CAP | (options.msi === true ? R.TN_FSB_CAP : 0);
    for (let i = 0; i <= this.timers; i++) {
      const deadline = this.#clock.timer(() => this.#due(timer));
      const timer = new HpetTimer(i, deadline);
      this.#sets.push(timer);
      if (i < this.timers) this.#resetTimer(timer);
    }
    this.ops = {
      endianness: 'little',
      valid: { minAccessSize: 4, maxAccessSize: 4 },
      impl: { minAccessSize: 4, maxAccessSize: 4 },
      read: (offset) => this.#read(offset, true),
      write: (offset, value) => this.#write(offset, value),
      peek: (offset) => this.#read(offset, false),
    };
    if (saved === null) this.#pitGate?.set(1);
    else this.#restore(saved);
  }

  /** Input 0, from the PIT: passed on to output 0 but in legacy mode (H-95). */
  setPitInput(level: number): void {
    if ((this.#config & R.CFG_LEGACY) === 0) this.#interrupts.drive(0, level);
  }

  /** Input 1, from the RTC: remembered, and passed on to output 8 but in legacy mode (H-96). */
  setRtcInput(level: number): void {
    this.#rtcLevel = level & 0xff;
    if ((this.#config & R.CFG_LEGACY) === 0) this.#interrupts.drive(8, level);
  }

  /** A system reset (H-110, H-111): message registers and the extra register set keep their content. */
  reset(): void {
    for (let i = 0; i < this.timers; i++) {
      const timer = this.#sets[i]!;
      this.#stop(timer);
      this.#resetTimer(timer);
    }
    this.#pitGate?.set(1);
    this.#config = 0;
    this.#counter.reset();
    this.#rtcLevel = 0;
  }

  /** Everything that a snapshot needs, as a plain JSON value (H-118, and the extra register set too). */
  state(): HpetState {
    const { storedHi, storedLo, offset } = this.#counter;
    return {
      version: 1,
      config: this.#config,
      status: this.#interrupts.status,
      stored: `0x${u64(storedHi, storedLo).toString(16)}`,
      offset: `${offset}`,
      rtcLevel: this.#rtcLevel,
      msi: (this.#resetConfig & R.TN_FSB_CAP) !== 0,
      routeCapability: this.#routeCapability,
      timers: this.#sets.map(timerState),
    };
  }

  /**
   * A block in the state `state`, on a clock that shows the time the state was saved at. No line is driven: lines keep
   * their level.
   *
   * @param state as `state()` gave it, also after a trip through JSON.
   * @param wiring as for the constructor; timers, msi and route capability come from the state.
   * @throws {DeviceStateError} not a state of this device, or of a version it does not know.
   */
  static fromState(state: unknown, wiring: Omit<HpetOptions, 'timers' | 'msi' | 'routeCapability'>): Hpet {
    const saved = readHpetState(state);
    const { msi, routeCapability } = saved;
    return new Hpet({ ...wiring, timers: saved.timers.length - 1, msi, routeCapability }, saved);
  }

  // Registers

  #read(offset: number, counted: boolean): number {
    if (offset >= R.TIMERS) {
      const timer = this.#sets[(offset - R.TIMERS) >> R.TN_SHIFT];
      if (timer !== undefined) {
        switch (offset & 0x1f) {
          case R.TN_CFG_LO:
            return timer.config;
          case R.TN_CFG_HI:
            return timer.routeCapability;
          case R.TN_CMP_LO:
            return timer.comparatorLo;
          case R.TN_CMP_HI:
            return timer.comparatorHi;
          case R.TN_MSG_LO:
            return timer.messageData;
          case R.TN_MSG_HI:
            return timer.messageAddress;
        }
      }
    } else {
      switch (offset) {
        case R.COUNTER_LO:
          return this.#counter.lo();
        case R.COUNTER_HI:
          return this.#counter.hi();
        case R.STATUS:
          return this.#interrupts.status;
        case R.CFG:
          return this.#config;
        case R.CAP_LO:
          return this.#capabilitiesLo;
        case R.CAP_HI:
          return R.TICK_FS;
        case R.CFG + 4:
        case R.STATUS + 4:
          return 0;
      }
    }
    if (counted) this.#events.count(HpetEvent.UNKNOWN_READ);
    return 0;
  }

  #write(offset: number, value: number): void {
    const timer = offset >= R.TIMERS ? this.#sets[(offset - R.TIMERS) >> R.TN_SHIFT] : undefined;
    if (timer !== undefined) this.#writeTimer(timer, offset & 0x1f, value);
    else if (offset === R.CFG) this.#writeConfig(value);
    else if (offset === R.STATUS) this.#writeStatus(value);
    else if (offset === R.COUNTER_LO) this.#counter.storedLo = value;
    else if (offset === R.COUNTER_HI) this.#counter.storedHi = value;
    else this.#events.count(HpetEvent.UNKNOWN_WRITE);
  }

  #writeTimer(timer: HpetTimer, register: number, value: number): void {
    switch (register) {
      case R.TN_CFG_LO:
        this.#writeTimerConfig(timer, value);
        break;
      case R.TN_CMP_LO:
        this.#writeComparatorLo(timer, value);
        break;
      case R.TN_CMP_HI:
        this.#writeComparatorHi(timer, value);
        break;
      case R.TN_MSG_LO:
        timer.messageData = value;
        break;
      case R.TN_MSG_HI:
        timer.messageAddress = value;
        break;
      default: // TN_CFG_HI is read-only
        this.#events.count(HpetEvent.UNKNOWN_WRITE);
    }
  }

  /** H-54. */
  #writeComparatorLo(timer: HpetTimer, value: number): void {
    const periodic = (timer.config & R.TN_PERIODIC) !== 0;
    if (!periodic || (timer.config & R.TN_SETVAL) !== 0) timer.comparatorLo = value;
    if (periodic) timer.periodLo = (timer.config & R.TN_32BIT) === 0 ? value : value & 0x7fff_ffff;
    this.#comparatorWritten(timer);
  }

  /** H-55: unlike the low half, one of comparator and period only. */
  #writeComparatorHi(timer: HpetTimer, value: number): void {
    const periodic = (timer.config & R.TN_PERIODIC) !== 0;
    if (!periodic || (timer.config & R.TN_SETVAL) !== 0) timer.comparatorHi = value;
    else timer.periodHi = (timer.config & R.TN_32BIT) === 0 ? value : value & 0x7fff_ffff;
    this.#comparatorWritten(timer);
  }

  #comparatorWritten(timer: HpetTimer): void {
    timer.config &= ~R.TN_SETVAL;
    if ((this.#config & R.CFG_ENABLE) !== 0) this.#arm(timer);
  }

  /** H-50 to H-53. */
  #writeTimerConfig(timer: HpetTimer, value: number): void {
    const old = timer.config;
    if ((value & ~old & R.TN_FSB) !== 0) this.#interrupts.deassert(timer, this.#config);
    timer.config = (value & R.TN_CFG_WRITABLE) | (old & ~R.TN_CFG_WRITABLE);
    if ((value & R.TN_32BIT) !== 0) {
      timer.comparatorHi = 0;
      timer.periodHi = 0;
    }
    if ((value & ~old & R.TN_ENABLE) !== 0) {
      if ((this.#config & R.CFG_ENABLE) !== 0) this.#arm(timer);
    } else if ((~value & old & R.TN_ENABLE) !== 0) this.#stop(timer);
  }

  /** H-40 to H-45. The counter and the timers see the new bits first, then the lines of the legacy switch. */
  #writeConfig(value: number): void {
    const config = value & (R.CFG_ENABLE | R.CFG_LEGACY);
    const raised = config & ~this.#config;
    const cleared = this.#config & ~config;
    this.#config = config;
    if ((raised & R.CFG_ENABLE) !== 0) {
      this.#counter.start();
      for (let i = 0; i < this.timers; i++) {
        const timer = this.#sets[i]!;
        if (timer.comparatorLo !== ALL_ONES || timer.comparatorHi !== ALL_ONES) this.#arm(timer);
      }
    } else if ((cleared & R.CFG_ENABLE) !== 0) {
      this.#counter.stop();
      for (let i = 0; i < this.timers; i++) this.#stop(this.#sets[i]!);
    }
    if ((raised & R.CFG_LEGACY) !== 0) {
      this.#pitGate?.set(0);
      this.#interrupts.drive(0, 0);
      this.#interrupts.drive(8, 0);
    } else if ((cleared & R.CFG_LEGACY) !== 0) {
      this.#interrupts.drive(0, 0);
      this.#pitGate?.set(1);
      this.#interrupts.drive(8, this.#rtcLevel);
    }
  }

  /** H-91, H-92: the extra register set's bit is out of reach. */
  #writeStatus(value: number): void {
    const cleared = value & this.#interrupts.status;
    for (let i = 0; i < this.timers; i++)
      if ((cleared & (1 << i)) !== 0) this.#interrupts.deassert(this.#sets[i]!, this.#config);
  }

  // Deadlines

  /** H-61: what every write that arms does. */
  #arm(timer: HpetTimer): void {
    const mode32 = (timer.config & R.TN_32BIT) !== 0;
    const counter = this.#counter.value();
    let ticks = distance(timer.comparator, counter, mode32);
    timer.wrapFirst = false;
    if (mode32 && (timer.config & R.TN_PERIODIC) === 0) {
      const wrap = ticksToWrap(counter);
      if (wrap < ticks) {
        ticks = wrap;
        timer.wrapFirst = true;
      }
    }
    this.#armFor(timer, ticks);
    const { deadline } = timer;
    if (deadline.deadline !== null && deadline.deadline >= CLOCK_WRAP)
      deadline.arm(BigInt(deadline.deadline) - 2n * CLOCK_WRAP);
  }

  /**
   * H-62. A due time of 2^63 or more wraps in QEMU, whose clock is a signed 64-bit number: the timer is overdue, and runs before those
   * with a later due time (seen). So it does here when a write arms (`#arm`). When a timer that is due arms itself again it stays armed for a time that
   * the clock never reaches: a periodic timer would run for ever otherwise, as it does in QEMU.
   */
  #armFor(timer: HpetTimer, ticks: bigint): void {
    if (ticks >= R.TOO_FAR) timer.deadline.cancel();
    else timer.deadline.arm(addNanoseconds(this.#clock.now, toNanoseconds(ticks * BigInt(R.TICK_NS))));
  }

  /** H-70 to H-73. */
  #due(timer: HpetTimer): void {
    const mode32 = (timer.config & R.TN_32BIT) !== 0;
    if ((timer.config & R.TN_PERIODIC) !== 0) {
      const period = timer.period;
      if (period !== 0n) {
        const counter = this.#counter.ticks();
        timer.comparator = catchUp(timer.comparator, period, counter, mode32);
        this.#armFor(timer, distance(timer.comparator, counter, mode32));
      }
    } else if (mode32 && timer.wrapFirst) {
      timer.wrapFirst = false;
      this.#armFor(timer, distance(timer.comparator, this.#counter.ticks(), mode32));
    }
    this.#interrupts.assert(timer, this.#config);
  }

  /** H-74. */
  #stop(timer: HpetTimer): void {
    timer.deadline.cancel();
    this.#interrupts.deassert(timer, this.#config);
  }

  #resetTimer(timer: HpetTimer): void {
    timer.config = this.#resetConfig;
    timer.routeCapability = this.#routeCapability;
    timer.comparatorLo = ALL_ONES;
    timer.comparatorHi = ALL_ONES;
    timer.periodLo = 0;
    timer.periodHi = 0;
  }

  #restore(saved: HpetState): void {
    this.#config = saved.config;
    this.#interrupts.status = saved.status;
    const stored = BigInt(saved.stored);
    this.#counter.storedLo = Number(BigInt.asUintN(32, stored));
    this.#counter.storedHi = Number(stored >> 32n);
    this.#counter.restore(BigInt(saved.offset), (saved.config & R.CFG_ENABLE) !== 0);
    this.#rtcLevel = saved.rtcLevel;
    for (const [i, from] of saved.timers.entries()) this.#sets[i]!.restore(from);
    const armed = saved.timers.map((from, i) => ({ from, timer: this.#sets[i]! }));
    armed.sort((a, b) => a.from.order - b.from.order);
    for (const { from, timer } of armed) if (from.deadline !== null) timer.deadline.arm(BigInt(from.deadline));
  }
}

const WIRING: readonly Part[] = [
  ['clock', 'timer'],
  ['memory', 'txStore'],
];
const ALL_ONES = 0xffff_ffff;
/** Where the clock's signed 64-bit count would wrap. */
const CLOCK_WRAP = 1n << 63n;
