/** Listening to the interrupt lines of one device, and telling changes as lines of the protocol.. */
import type { QtestDevice } from './machine.ts';

/** The one interception of a server's life. */
export class Interception {
  readonly #send: (line: string) => void;
  readonly #levels = new Int32Array(256);
  #device: QtestDevice | null = null;

  /** @param send writes one line to the client, in the middle of whatever drove an interrupt line. */
  constructor(send: (line: string) => void) {
    this.#send = send;
  }

  /** Is a device listened to? */
  get on(): boolean {
    return this.#device !== null;
  }

  /**
   * Listens to a device's unnamed inputs or outputs. Only the first call decides.
   *
   * @returns false where another device is listened to already.
   */
  start(device: QtestDevice, direction: 'inputs' | 'outputs'): boolean {
    if (this.#device !== null) return this.#device === device;
    this.#device = device;
    for (const [number, line] of device[direction].entries()) line.connect((level) => this.#driven(number, level));
    return true;
  }

  /** A new client: all remembered levels are 0 again. */
  forget(): void {
    this.#levels.fill(0);
  }

  /** Levels are compared as integers with the last one seen. */
  #driven(number: number, level: number): void {
    if (this.#levels[number] === level) return;
    this.#levels[number] = level;
    this.#send(level === 0 ? `IRQ lower ${number}` : `IRQ raise ${number}`);
  }
}
