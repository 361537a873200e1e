/**
 * What the HPET does to the world when a timer is asserted or deasserted: status bits, interrupt lines, messages.
 * H-80 to H-88, H-90.
 */
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx, MemTxResult, type TxMemory } from '@guestmem/memtx';
import type { DeviceEvents } from '../events.ts';
import type { InterruptSink } from '../irq/interrupt-line.ts';
import type { HpetTimer } from './hpet-timer.ts';
import * as R from './registers.ts';

/** Events that the block counts. */
export const HpetEvent = {
  UNKNOWN_READ: 'hpet: read of no register',
  UNKNOWN_WRITE: 'hpet: write to no register',
  MESSAGE_FAILED: 'hpet: message not stored',
} as const;

/** The outputs and the status register of one block. `config` is always the block's configuration register. */
export class HpetInterrupts {
  readonly #memory: TxMemory;
  readonly #outputs: readonly (InterruptSink | undefined)[];
  readonly #events: DeviceEvents;
  readonly #tx = new MemTx();
  /** Bit n: level timer n is asserted (H-90). */
  status = 0;

  constructor(memory: TxMemory, outputs: readonly (InterruptSink | undefined)[], events: DeviceEvents) {
    this.#memory = memory;
    this.#outputs = outputs;
    this.#events = events;
  }

  /** H-81. */
  assert(timer: HpetTimer, config: number): void {
    if ((timer.config & R.TN_ENABLE) === 0 || (config & R.CFG_ENABLE) === 0) this.deassert(timer, config);
    else if ((timer.config & R.TN_FSB) !== 0) this.#sendMessage(timer);
    else if ((timer.config & R.TN_LEVEL) !== 0) {
      this.status = (this.status | (1 << timer.index)) >>> 0;
      this.drive(lineOf(timer, config), 1);
    } else {
      this.status = (this.status & ~(1 << timer.index)) >>> 0;
      this.drive(lineOf(timer, config), 1);
      this.drive(lineOf(timer, config), 0);
    }
  }

  /** H-82: the line is lowered without regard to who raised it. */
  deassert(timer: HpetTimer, config: number): void {
    this.status = (this.status & ~(1 << timer.index)) >>> 0;
    if ((timer.config & R.TN_FSB) === 0) this.drive(lineOf(timer, config), 0);
  }

  drive(line: number, level: number): void {
    this.#outputs[line]?.set(level);
  }

  /** H-85 to H-87: one store of 4 bytes, explicitly little-endian; what became of it is only counted. */
  #sendMessage(timer: HpetTimer): void {
    this.#memory.txStore(timer.messageAddress, le32, timer.messageData, MEMTXATTRS_UNSPECIFIED, this.#tx);
    if (this.#tx.result !== MemTxResult.OK) this.#events.count(HpetEvent.MESSAGE_FAILED);
  }
}

/** H-80. */
function lineOf(timer: HpetTimer, config: number): number {
  if ((config & R.CFG_LEGACY) !== 0 && timer.index <= 1) return timer.index === 0 ? 0 : 8;
  return (timer.config >> R.TN_ROUTE_SHIFT) & R.TN_ROUTE_MASK;
}
