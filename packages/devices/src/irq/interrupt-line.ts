/**
 * Interrupt lines as boards wire them: a driver sets a level, whoever is connected is told at once, in the order of
 * connecting. A line knows no owner: two devices on one line drive it for each other (H-145); where they must not, put
 * a WiredOr in between.
 */

import { shown } from '@guestmem/vm-memory';
import { throwAll } from '../throw-all.ts';

/** What a device drives: an interrupt output, a gate, any one wire. */
export interface InterruptSink {
  /** Drives the wire to `level`: 0 is low, anything else high. Driving it to the level it has is allowed and is told. */
  set(level: number): void;
}

/** Stops what was registered. */
export interface Connection {
  dispose(): void;
}

/** One connection: who is connected twice is told twice. */
interface Connected {
  readonly listener: (level: number) => void;
}

/** One wire with any number of drivers and listeners. */
export class InterruptLine implements InterruptSink {
  /** For messages. */
  readonly name: string;
  #level = 0;
  #risingEdges = 0;
  #connected: readonly Connected[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** The level last driven, at first 0. */
  get level(): number {
    return this.#level;
  }
  /** How often the wire went from low to high: what an edge-triggered input would have taken. */
  get risingEdges(): number {
    return this.#risingEdges;
  }

  /**
   * Drives the wire. @throws {TypeError} `level` is no number. @throws what a listener threw (AggregateError if several did),
   * after all were told.
   */
  set(level: number): void {
    if (typeof level !== 'number') throw noLevel(this.name, level);
    throwAll(this.#drive(level, null) ?? [], 'listeners of an interrupt line');
  }
  /** Level-triggered: up until lowered. */
  raise(): void {
    this.set(1);
  }
  lower(): void {
    this.set(0);
  }
  /** Edge-triggered: up and down at once, down also where a listener throws. */
  pulse(): void {
    throwAll(this.#drive(0, this.#drive(1, null)) ?? [], 'listeners of an interrupt line');
  }

  /** Tells `listener` each time the wire is driven, also to the level it has. @throws {TypeError} it is no function. */
  connect(listener: (level: number) => void): Connection {
    if (typeof listener !== 'function') throw new TypeError(`a wire tells a function, not ${shown(listener)}`);
    // Copied on change: a listener may connect or dispose while the line is being driven.
    const added: Connected = { listener };
    this.#connected = [...this.#connected, added];
    return {
      dispose: () => {
        this.#connected = this.#connected.filter((other) => other !== added);
      },
    };
  }

  /** Tells `observer` each change between low and high, and nothing else. */
  observe(observer: (high: boolean) => void): Connection {
    if (typeof observer !== 'function') throw new TypeError(`a wire tells a function, not ${shown(observer)}`);
    let high = this.#level !== 0;
    return this.connect((level) => {
      if (high === (level !== 0)) return;
      high = level !== 0;
      observer(high);
    });
  }

  /** @returns `earlier` with what listeners threw, null if nothing: one that does must not keep the others from an edge. */
  #drive(level: number, earlier: unknown[] | null): unknown[] | null {
    let errors = earlier;
    if (level !== 0 && this.#level === 0) this.#risingEdges++;
    this.#level = level;
    for (const { listener } of this.#connected) {
      try {
        listener(level);
      } catch (error) {
        if (errors === null) errors = [error];
        else errors.push(error);
      }
    }
    return errors;
  }
}

/** Several drivers of one wire: it is high while any of them is. The wire is driven each time one of them is, as on a PCI bus. */
export class WiredOr {
  readonly #target: InterruptSink;
  #high = 0;

  constructor(target: InterruptSink) {
    this.#target = target;
  }

  /** A new driver, low at first. */
  input(): InterruptSink {
    let up = 0;
    return {
      set: (level) => {
        if (typeof level !== 'number') throw noLevel('wired-or', level);
        this.#high -= up;
        up = level === 0 ? 0 : 1;
        this.#high += up;
        this.#target.set(this.#high > 0 ? 1 : 0);
      },
    };
  }
}

function noLevel(name: string, given: unknown): TypeError {
  return new TypeError(`the level of "${name}" must be a number, 0 for low and others for high, not ${shown(given)}`);
}
