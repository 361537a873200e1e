/** The typed error for a saved state that a device cannot take, and the checks that readers of states share. */

/** Why a state was refused. */
export type DeviceStateErrorCode = 'not-a-state' | 'unsupported-version' | 'bad-value';

/** A saved state is not one of this device, or of a version it does not know. Nothing was made. */
export class DeviceStateError extends Error {
  override readonly name = 'DeviceStateError';
  readonly code: DeviceStateErrorCode;

  constructor(code: DeviceStateErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads fields of one object of a saved state; every method throws DeviceStateError with the field's path. */
export class StateReader {
  readonly #path: string;
  readonly #fields: { readonly version?: unknown; readonly [name: string]: unknown };

  constructor(path: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new DeviceStateError('not-a-state', `${path} must be an object, not ${describe(value)}`);
    this.#path = path;
    this.#fields = value as { readonly [name: string]: unknown };
  }

  /** @throws {DeviceStateError} `unsupported-version` unless the field `version` is `known`. */
  version(known: number): void {
    const version = this.#fields.version;
    if (version !== known)
      throw new DeviceStateError(
        'unsupported-version',
        `${this.#path} has version ${describe(version)}; this release reads version ${known}`,
      );
  }

  /** An integer of `first` to `last`. */
  integer(name: string, first: number, last: number): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < first || value > last)
      throw this.#bad(name, `an integer of ${first} to ${last}`);
    return value;
  }

  /** An unsigned 32-bit number. */
  u32(name: string): number {
    return this.integer(name, 0, 0xffff_ffff);
  }

  boolean(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw this.#bad(name, 'true or false');
    return value;
  }

  /** A 64-bit number as a string that BigInt reads, decimal or `0x` hexadecimal; a minus sign only where `signed`. */
  bigint(name: string, signed = false): bigint {
    const value = this.#fields[name];
    if (typeof value !== 'string' || !/^(-?\d+|0x[0-9a-f]+)$/i.test(value))
      throw this.#bad(name, 'a number as a string');
    const number = BigInt(value);
    const [first, last] = signed ? [-(1n << 64n), (1n << 64n) - 1n] : [0n, (1n << 64n) - 1n];
    if (number < first || number > last) throw this.#bad(name, 'a number of 64 bits');
    return number;
  }

  /** As `bigint`, of at most `width` bits and not negative. */
  unsigned(name: string, width: number): bigint {
    const number = this.bigint(name);
    if (number >> BigInt(width) !== 0n) throw this.#bad(name, `a number of ${width} bits`);
    return number;
  }

  /** As `bigint`, or null. */
  bigintOrNull(name: string, signed = false): bigint | null {
    return this.#fields[name] === null ? null : this.bigint(name, signed);
  }

  /** A list of `min` to `max` objects. */
  list(name: string, min: number, max: number): StateReader[] {
    const value = this.#fields[name];
    if (!Array.isArray(value) || value.length < min || value.length > max)
      throw this.#bad(name, `a list of ${min} to ${max} entries`);
    return value.map((entry, i) => new StateReader(`${this.#path}.${name}[${i}]`, entry));
  }

  /** A string of base64 digits or hex digits, checked by `pattern`. */
  text(name: string, pattern: RegExp): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || !pattern.test(value)) throw this.#bad(name, `text like ${pattern}`);
    return value;
  }

  #bad(name: string, wanted: string): DeviceStateError {
    return new DeviceStateError(
      'bad-value',
      `${this.#path}.${name} must be ${wanted}, not ${describe(this.#fields[name])}`,
    );
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return `a list of ${value.length} entries`;
  return value === null || typeof value !== 'object' ? String(value) : 'an object';
}
