/**
 * What a device author says of one register, once: place, width, reset value, which bits the guest changes and how. A map of
 * them is a plain value; register-file.ts makes a device's registers of it, register-table.ts its documentation.
 */

/** Bits of a register: `bits` of them from `shift` on. Fields of one register do not overlap. */
export interface FieldSpec {
  /** Its lowest bit, from 0. */
  readonly shift: number;
  /** 1 to 53, so that a number holds the field's value exactly. Default 1. */
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

/** A register of 64 bits, as a narrow one; values and masks are bigints. */
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
 * @throws {RangeError} a width that is none, a register out of place, two that overlap, a reset value or mask that does not fit its
 *   register, a field out of its register or over another one.
 * @throws {TypeError} a reset value or mask that is no number, or for 64 bits no bigint.
 */
export function defineRegisters<const M extends RegisterMap>(map: M): M {
  const owner = new Map<number, string>();
  for (const [name, spec] of Object.entries<RegisterSpec>(map)) {
    checkPlace(name, spec);
    for (const part of ['reset', 'write', 'clear'] as const)
      if (spec[part] !== undefined) checkValue(spec[part], spec.width, `${part} of register ${name}`);
    checkFields(name, spec);
    for (let at = spec.offset; at < spec.offset + spec.width / 8; at++) {
      const other = owner.get(at);
      if (other !== undefined)
        throw new RangeError(`registers ${other} and ${name} overlap at offset 0x${at.toString(16)}`);
      owner.set(at, name);
    }
  }
  return map;
}

/**
 * Checks a register's value: a number of up to 32 bits, a bigint of 64.
 *
 * @throws {TypeError | RangeError} the other kind; a fraction, negative or too large. The message begins with `what`.
 */
export function checkValue(value: unknown, width: number, what: string): void {
  const kind = width === 64 ? 'bigint' : 'number';
  if (typeof value !== kind)
    throw new TypeError(`${what} must be a ${kind}, as it has ${width} bits, not a ${typeof value}`);
  const exact = typeof value === 'bigint' || Number.isInteger(value);
  const given = value as number | bigint;
  if (exact && given >= 0 && given < 2 ** width) return;
  const shown = exact ? `${given < 0 ? '-' : ''}0x${given.toString(16).replace('-', '')}` : `${given}`;
  throw new RangeError(`${what} must be an unsigned integer of ${width} bits, not ${shown}`);
}

function checkPlace(name: string, { offset, width }: RegisterSpec): void {
  if (![8, 16, 32, 64].includes(width))
    throw new RangeError(`register ${name} cannot have ${width} bits: 8, 16, 32 and 64 are the widths`);
  const bytes = width / 8;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % bytes !== 0)
    throw new RangeError(
      `register ${name} of ${width} bits cannot be at offset ${offset}: it must be a multiple of ${bytes}`,
    );
}

function checkFields(name: string, { width, fields = {} }: RegisterSpec): void {
  const owner: string[] = [];
  for (const [field, { shift, bits = 1 }] of Object.entries(fields)) {
    if (!Number.isInteger(shift) || shift < 0 || !Number.isInteger(bits) || bits < 1 || shift + bits > width)
      throw new RangeError(
        `field ${name}.${field} of ${bits} bits from bit ${shift} on does not lie in a register of ${width} bits`,
      );
    if (bits > 53) throw new RangeError(`field ${name}.${field} has ${bits} bits; a field has at most 53`);
    for (let bit = shift; bit < shift + bits; bit++) {
      if (owner[bit] !== undefined)
        throw new RangeError(`fields ${name}.${owner[bit]} and ${name}.${field} overlap at bit ${bit}`);
      owner[bit] = field;
    }
  }
}
