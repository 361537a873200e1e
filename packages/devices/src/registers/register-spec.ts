/**
 * What a device author says of one register, once: place, width, reset value, which bits the guest changes and how. A map of
 * them is a plain value; register-file.ts makes a device's registers of it, register-table.ts its documentation.
 */

/** Bits of a register: `bits` of them from `shift` on. */
export interface FieldSpec {
  readonly shift: number;
  /** Default 1. */
  readonly bits?: number;
  readonly doc?: string;
}

/** A register of up to 32 bits. Values and masks are unsigned numbers. */
export interface NarrowRegisterSpec {
  /** Bytes from the start of the region; a multiple of the register's width. */
  readonly offset: number;
  readonly width: 8 | 16 | 32;
  /** Value at power-on and after `reset()`. Default 0. */
  readonly reset?: number;
  /** Bits that a write sets to what was written. Default none: a read-only register. */
  readonly write?: number;
  /** Bits that writing 1 clears. Default none. */
  readonly clear?: number;
  readonly fields?: Readonly<Record<string, FieldSpec>>;
  readonly doc?: string;
}

/** A register of 64 bits. Values and masks are bigints. */
export interface WideRegisterSpec {
  readonly offset: number;
  readonly width: 64;
  readonly reset?: bigint;
  readonly write?: bigint;
  readonly clear?: bigint;
  readonly fields?: Readonly<Record<string, FieldSpec>>;
  readonly doc?: string;
}

/** Any register. */
export type RegisterSpec = NarrowRegisterSpec | WideRegisterSpec;

/** The registers of a device, by name. */
export type RegisterMap = Readonly<Record<string, RegisterSpec>>;

/** The type of a register's values. */
export type RegisterValue<S extends RegisterSpec> = S extends WideRegisterSpec ? bigint : number;

/** The names of a register's fields. */
export type FieldName<S extends RegisterSpec> = S extends { readonly fields: infer F } ? keyof F & string : never;

/**
 * Checks a map and gives it back, its names and widths kept in its type.
 *
 * @throws {RangeError} a register out of place, or two that overlap.
 */
export function defineRegisters<const M extends RegisterMap>(map: M): M {
  const owner = new Map<number, string>();
  for (const [name, { offset, width }] of Object.entries<RegisterSpec>(map)) {
    const bytes = width / 8;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % bytes !== 0)
      throw new RangeError(
        `register ${name} of ${width} bits cannot be at offset ${offset}: it must be a multiple of ${bytes}`,
      );
    for (let at = offset; at < offset + bytes; at++) {
      const other = owner.get(at);
      if (other !== undefined)
        throw new RangeError(`registers ${other} and ${name} overlap at offset 0x${at.toString(16)}`);
      owner.set(at, name);
    }
  }
  return map;
}
