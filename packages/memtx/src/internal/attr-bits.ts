/**
 * The standard attribute fields in one integer: unspecified 0, secure 1, user 2, memory 3, debug 4, addressType 5, space
 * 6-7, requesterId 8-23, pid 24-43. It is the key that interns them and the form that goes through shared memory. A-2.
 */

/** An integer below 2^44; see the header. */
export type StandardBits = number;

/** All standard fields, spelled out. */
export interface StandardFields {
  readonly unspecified: boolean;
  readonly secure: boolean;
  readonly space: number;
  readonly user: boolean;
  readonly memory: boolean;
  readonly debug: boolean;
  readonly requesterId: number;
  readonly pid: number;
  readonly addressType: number;
  readonly bits: StandardBits;
}

const PID_UNIT = 2 ** 24;

/** `bits` with the field `name` set to `value`; -1 when `name` is no standard field. @throws {TypeError | RangeError} a value it cannot hold. */
export function packAttr(bits: StandardBits, name: string, value: unknown): StandardBits {
  switch (name) {
    case 'unspecified':
      return put(bits, 0, 1, flag(name, value));
    case 'secure':
      return put(bits, 1, 1, flag(name, value));
    case 'user':
      return put(bits, 2, 1, flag(name, value));
    case 'memory':
      return put(bits, 3, 1, flag(name, value));
    case 'debug':
      return put(bits, 4, 1, flag(name, value));
    case 'addressType':
      return put(bits, 5, 1, count(name, value, 1));
    case 'space':
      return put(bits, 6, 3, count(name, value, 3));
    case 'requesterId':
      return put(bits, 8, 0xffff, count(name, value, 0xffff));
    case 'pid':
      return (bits % PID_UNIT) + count(name, value, 0xf_ffff) * PID_UNIT;
    default:
      return -1;
  }
}

/** The fields that `bits` stands for. */
export function unpackAttrs(bits: StandardBits): StandardFields {
  const low = bits % PID_UNIT;
  return {
    unspecified: (low & 1) !== 0,
    secure: (low & 2) !== 0,
    user: (low & 4) !== 0,
    memory: (low & 8) !== 0,
    debug: (low & 16) !== 0,
    addressType: (low >> 5) & 1,
    space: (low >> 6) & 3,
    requesterId: low >> 8,
    pid: Math.floor(bits / PID_UNIT),
    bits,
  };
}

/** `secure`, `requesterId 0x20`, `zone "guest"`: one field, for messages. */
export function describeAttr(name: string, value: unknown): string {
  if (value === true) return name;
  if (typeof value === 'number' || typeof value === 'bigint') return `${name} ${signed(value)}`;
  return `${name} ${JSON.stringify(value)}`;
}

function signed(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return String(value);
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** `low` bits `shift` and up, `mask` wide, replaced; the part from 2^24 on is left alone. */
function put(bits: StandardBits, shift: number, mask: number, value: number): StandardBits {
  const low = bits % PID_UNIT;
  return bits - low + ((low & ~(mask << shift)) | (value << shift));
}

function flag(name: string, value: unknown): number {
  if (typeof value !== 'boolean') throw new TypeError(`attribute "${name}" must be a boolean, not ${String(value)}`);
  return value ? 1 : 0;
}

function count(name: string, value: unknown, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`attribute "${name}" must be a number, not ${typeof value}`);
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(`attribute "${name}" must be an integer in 0 to 0x${most.toString(16)}, not ${value}`);
}
