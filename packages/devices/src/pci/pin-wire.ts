/**
 * One interrupt line of a PCI bus, as QEMU 7.2 drives it: the counts of all pins that lead to it are added up, and it is high while the
 * sum is not 0. Counts that left 0 and 1 (see PciFunction) thus cancel each other (seen). E-64.
 */
import type { InterruptSink } from '../irq/interrupt-line.ts';

/** The wire behind the pins of several functions. It is driven each time one of them is. */
export class PinWire {
  readonly #target: InterruptSink;
  #sum = 0;
  #settling = false;

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
        if (!this.#settling) this.#drive();
      },
    };
  }

  /** While `wires` settle, their pins' counts change together: each is driven once, behind `work`, if it is another level then. */
  static settle(wires: Iterable<PinWire>, work: () => void): void {
    const held = Array.from(wires, (wire) => ({ wire, before: wire.#sum }));
    for (const { wire } of held) wire.#settling = true;
    work();
    for (const { wire, before } of held) {
      wire.#settling = false;
      if ((wire.#sum === 0) !== (before === 0)) wire.#drive();
    }
  }

  #drive(): void {
    this.#target.set(this.#sum === 0 ? 0 : 1);
  }
}
