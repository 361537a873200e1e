/**
 * The part of an ICH9 that carries PCI interrupts: line PIRQ A to H goes to the IOAPIC's line 16 to 23, and by a route register
 * to an ISA line as well. Found by comparing with QEMU 7.2 at random: a route that is switched off still drives its ISA line low, and a change
 * of the register is noticed at the next change of the interrupt only. Intel ICH9, 13.1.
 */
import type { InterruptSink } from '../irq/interrupt-line.ts';
import type { ConfigSpace } from '../pci/config-space.ts';

/** Route registers: bit 7 off, bits 3..0 the ISA line. */
const ROUTES_A_TO_D = 0x60; // RW, 4 bytes
const ROUTES_E_TO_H = 0x68; // RW, 4 bytes
const ROUTE_OFF = 0x80;
const ROUTE_LINE = 0x0f;
/** The IOAPIC's line of PIRQ A; those of B to H follow. */
const FIRST_LINE = 16;

/** The router of one board. */
export class PirqRouter {
  readonly #config: ConfigSpace;
  readonly #lines: readonly InterruptSink[];
  readonly #up: boolean[] = new Array(8).fill(false);

  /** @param lines all of the board's. */
  constructor(config: ConfigSpace, lines: readonly InterruptSink[]) {
    this.#config = config;
    this.#lines = lines;
  }

  /** The input that leads to line `line`, 16 to 23. */
  input(line: number): InterruptSink {
    const index = line - FIRST_LINE;
    return {
      set: (level) => {
        this.#up[index] = level !== 0;
        this.#lines[line]?.set(level === 0 ? 0 : 1);
        const isa = this.#route(index) & ROUTE_LINE;
        this.#lines[isa]?.set(this.#up.some((up, other) => up && this.#leadsTo(other, isa)) ? 1 : 0);
      },
    };
  }

  #leadsTo(index: number, isa: number): boolean {
    const route = this.#route(index);
    return (route & ROUTE_OFF) === 0 && (route & ROUTE_LINE) === isa;
  }

  #route(index: number): number {
    return this.#config.get(index < 4 ? ROUTES_A_TO_D + index : ROUTES_E_TO_H + index - 4, 1);
  }
}
