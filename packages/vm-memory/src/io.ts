/**
 * Sources and sinks of bytes that move into and out of guest memory without a copy in between. Anything with the one
 * method will do; for a file descriptor of Node: `{ readVolatile: (into) => fs.readSync(fd, into) }`. V-1.5.
 */

/** A source, as `std::io::Read` over memory that others may change. */
export interface ReadVolatile {
  /** Puts up to `into.length` bytes into `into`, which may be shared memory; keeps no reference. @returns how many; 0 at the end. */
  readVolatile(into: Uint8Array): number;
}

/** A sink, as `std::io::Write` over memory that others may change. */
export interface WriteVolatile {
  /** Takes up to `from.length` bytes of `from`, which may be shared memory; keeps no reference. @returns how many; 0 when full. */
  writeVolatile(from: Uint8Array): number;
}
