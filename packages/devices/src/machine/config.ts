/** What is chosen of a machine: the result of reading arguments (arguments.ts), or written by a program. */

/** A PCI card: an edu device. */
export interface CardConfig {
  /** device << 3 | function; undefined: the first free slot. */
  readonly devfn?: number;
  /** Bits of a DMA address that reach the bus (E-1). */
  readonly dmaMask?: bigint;
}

/** One machine's options. */
export interface MachineConfig {
  /** Undefined: the machine's default. */
  readonly ramBytes?: bigint;
  /** Names of regions that options took out. */
  readonly without: ReadonlySet<string>;
  /** Properties given by `-global`, as `device.property` and text. */
  readonly properties: ReadonlyMap<string, string>;
  readonly cards: readonly CardConfig[];
}
