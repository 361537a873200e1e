/**
 * One interrupt line of a PCI bus, as QEMU 7.2 drives it: the counts of all pins that lead to it are added up, and it is high while the
 * sum is not 0. Counts that left 0 and 1 (see PciFunction) thus cancel each other (seen). E-64.
 */
import type { InterruptSink } from '../irq/interrupt-line.ts';

/** The wire behind the pins of several functions. It is driven each time one of them is. */
export class PinWire {
  readonly #target: InterruptSink;
  #sum = 0;

  constructor(target: InterruptSink) {
    this.#target = target;
  }

  /** A new pin, its count 0 at first: `set` takes the count. */
  input(): InterruptSink {
    let own = 0;
    return {
      set: (count) => {
        this.#sum += count - own;
        own = count;
        this.#target.set(this.#sum === 0 ? 0 : 1);
      },
    };
  }
}
