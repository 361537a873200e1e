/**
 * The part of an ICH9 that carries PCI interrupts: line PIRQ E to H goes to the IOAPIC's line 20 to 23, and by a route register
 * to an ISA line as well. Found by comparing with QEMU 7.2 at random: a route that is switched off still drives its ISA line low, and a change
 * of the register is noticed at the next change of the interrupt only. Intel ICH9, 13.1.
 */
import type { InterruptSink } from '../irq/interrupt-line.ts';
import type { ConfigSpace } from '../pci/config-space.ts';

/** Route registers of PIRQ E to H: bit 7 off, bits 3..0 the ISA line. */
const ROUTES = 0x68; // RW, 4 bytes
const ROUTE_OFF = 0x80;
const ROUTE_LINE = 0x0f;

/** The router of one board. */
export class PirqRouter {
  readonly #config: ConfigSpace;
  readonly #lines: readonly InterruptSink[];
  readonly #up: boolean[] = [false, false, false, false];

  /** @param lines all of the board's. */
  constructor(config: ConfigSpace, lines: readonly InterruptSink[]) {
    this.#config = config;
    this.#lines = lines;
  }

  /** The input of PIRQ E + `index` (0 to 3), which leads to line `line`. */
  input(index: number, line: number): InterruptSink {
    return {
      set: (level) => {
        this.#up[index] = level !== 0;
        this.#lines[line]?.set(level === 0 ? 0 : 1);
        const isa = this.#config.get(ROUTES + index, 1) & ROUTE_LINE;
        this.#lines[isa]?.set(this.#up.some((up, other) => up && this.#leadsTo(other, isa)) ? 1 : 0);
      },
    };
  }

  #leadsTo(index: number, isa: number): boolean {
    const route = this.#config.get(ROUTES + index, 1);
    return (route & ROUTE_OFF) === 0 && (route & ROUTE_LINE) === isa;
  }
}
