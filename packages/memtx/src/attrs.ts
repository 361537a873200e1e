/**
 * What a transaction carries: who asks and how. A MemTxAttrs is immutable and interned, so equal attributes
 * are one object: passing one costs a pointer, comparing two is `===`. How the table stays bounded: intern.ts.
 */
import { badNumber } from '@guestmem/vm-memory';
import { refuseAnotherCopy } from './internal/another-copy.ts';
import { describeAttr, packAttr, type StandardBits, unpackAttrs } from './internal/attr-bits.ts';
import { InternTable } from './internal/intern.ts';

/** What a field that you add yourself may hold. 0, 0n, false and '' are the default, the same as leaving it out. */
export type MemTxAttrsValue = boolean | number | bigint | string;

/**
 * The fields of today's QEMU. All default to 0 or false. The set is open: add your own by declaration merging,
 * under names that are no option of a view (`attrs`, `order`, `onError`, `tx`, `ordering`) and no member of MemTxAttrs.
 */
export interface MemTxAttrsFields {
  /** The initiator gave no attributes. Cleared by giving any other field, unless set in the same breath. */
  unspecified?: boolean;
  /** Arm TrustZone Secure; x86 System Management Mode. */
  secure?: boolean;
  /** Arm security space: 0 Secure, 1 Non-secure, 2 Root, 3 Realm. */
  space?: number;
  /** Unprivileged (user-mode) access. */
  user?: boolean;
  /** The initiator accepts normal memory only; a device target is refused (A-64, bulk transfers). */
  memory?: boolean;
  /** Debugger access: may write ROM, is answered by `peek` where it reads a device. */
  debug?: boolean;
  /** Bus-master id, 16 bits; PCI: bus << 8 | devfn. */
  requesterId?: number;
  /** Process id (PCI PASID), 20 bits; QEMU keeps 8 of them. */
  pid?: number;
  /** PCI address type (ATS): 0 untranslated, 1 translated. */
  addressType?: number;
}

/** The fields you added by declaration merging are readable too; undefined where they were not given. */
export interface MemTxAttrs extends Readonly<MemTxAttrsFields> {}

/** One immutable, interned set of attributes. Compare with `===`. Make it with `memTxAttrs` or `mergeMemTxAttrs`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: every merged field is optional, so none can lack an initialiser
export class MemTxAttrs {
  readonly unspecified: boolean;
  readonly secure: boolean;
  readonly space: number;
  readonly user: boolean;
  readonly memory: boolean;
  readonly debug: boolean;
  readonly requesterId: number;
  readonly pid: number;
  readonly addressType: number;
  /** The fields above packed into an integer below 2^44: what travels through shared memory. `memTxAttrsFromBits` reads it. */
  readonly bits: number;
  /** The fields you added, sorted by name; null where there are none. They are properties of this object as well. */
  readonly own: Readonly<Record<string, MemTxAttrsValue>> | null;

  /** @hideconstructor */
  constructor(standard: StandardBits, own: Readonly<Record<string, MemTxAttrsValue>> | null) {
    const fields = unpackAttrs(standard);
    this.unspecified = fields.unspecified;
    this.secure = fields.secure;
    this.space = fields.space;
    this.user = fields.user;
    this.memory = fields.memory;
    this.debug = fields.debug;
    this.requesterId = fields.requesterId;
    this.pid = fields.pid;
    this.addressType = fields.addressType;
    this.bits = fields.bits;
    this.own = own;
    if (own !== null) Object.assign(this, own);
    Object.freeze(this);
  }

  /** Equal field by field? The same as `===`, except past the table's bound (intern.ts) and across copies of this package. */
  equals(other: MemTxAttrs): boolean {
    return this === other || (this.bits === other.bits && ownKey(this.own) === ownKey(other.own));
  }

  /** The fields that are not at their default, as a plain object: structured-cloneable, and `memTxAttrs` takes it back. */
  toFields(): MemTxAttrsFields {
    const fields: Record<string, MemTxAttrsValue> = {};
    for (const name of STANDARD_NAMES) {
      const value = this[name];
      if (value) fields[name] = value;
    }
    return Object.assign(fields, this.own);
  }

  /** `{secure, requesterId 0x20}`; `{unspecified}`; `{}` for all clear. */
  toString(): string {
    const parts = Object.entries(this.toFields()).map(([name, value]) => describeAttr(name, value));
    return `{${parts.join(', ')}}`;
  }
}

/**
 * The attributes with exactly these fields, all others at their default: `memTxAttrs({})` is all clear, which is not
 * MEMTXATTRS_UNSPECIFIED. Equal fields give the same object.
 *
 * @throws {TypeError} a field of the wrong kind, or a name that is reserved.
 * @throws {RangeError} a number that its field cannot hold.
 */
export function memTxAttrs(fields: MemTxAttrsFields): MemTxAttrs {
  if (fields instanceof MemTxAttrs) return fields;
  return build(ALL_CLEAR, null, fields, false);
}

/**
 * `base` with the given fields replaced, field by field. Giving any field clears `unspecified`, unless `over` says
 * `unspecified` itself. A whole MemTxAttrs as `over` says every field, so it is the answer.
 *
 * @throws {TypeError | RangeError} `base` is no MemTxAttrs; a field as for `memTxAttrs`.
 */
export function mergeMemTxAttrs(base: MemTxAttrs, over: MemTxAttrsFields): MemTxAttrs {
  if (typeof base.bits !== 'number')
    throw new TypeError('attrs must be a MemTxAttrs: make one with memTxAttrs, or give its fields beside it');
  if (over instanceof MemTxAttrs) return over;
  return saysNothing(over) ? base : build(base.bits, base.own, over, true);
}

/** The attributes whose `bits` these are; fields that you added do not travel in them. */
export function memTxAttrsFromBits(bits: number): MemTxAttrs {
  if (!Number.isSafeInteger(bits) || bits < 0 || bits >= 2 ** 44)
    throw badNumber('attribute bits must be an integer in 0 to 2^44 - 1', bits);
  return find(bits, null);
}

/** Names that `with` and the per-call options give a meaning of their own, so no attribute may have them. */
const OPTION_NAMES: ReadonlySet<string> = new Set(['attrs', 'order', 'onError', 'tx', 'ordering']);
const STANDARD_NAMES = [
  'unspecified',
  'secure',
  'space',
  'user',
  'memory',
  'debug',
  'requesterId',
  'pid',
  'addressType',
] as const;
const ALL_CLEAR = 0;
const UNSPECIFIED_BIT = 1;

/** No attribute among them: what a view's options often are. Saves the look-up; a switch, because a Set costs 20 ns more. */
function saysNothing(fields: MemTxAttrsFields): boolean {
  for (const name in fields) {
    switch (name) {
      case 'attrs':
      case 'tx':
      case 'order':
      case 'ordering':
      case 'onError':
        continue;
      default:
        return false;
    }
  }
  return true;
}

type Own = Record<string, MemTxAttrsValue>;

/** `fields` may be a view's options: then (and only then) their option names are passed over. */
function build(base: number, baseOwn: Readonly<Own> | null, fields: MemTxAttrsFields, merging: boolean): MemTxAttrs {
  if (typeof fields !== 'object' || fields === null)
    throw new TypeError(`attributes must be an object, not ${fields === null ? 'null' : typeof fields}`);
  let bits = base;
  let own = baseOwn;
  let given = false;
  for (const name of Object.keys(fields)) {
    const value = (fields as Readonly<Record<string, MemTxAttrsValue | undefined>>)[name];
    if (value === undefined || (merging && OPTION_NAMES.has(name))) continue;
    const packed = packAttr(bits, name, value);
    if (packed >= 0) bits = packed;
    else {
      refuseAnotherCopy(fields);
      own = withOwn(own, name, value);
    }
    given ||= name !== 'unspecified';
  }
  if (merging && given && fields.unspecified === undefined && bits % 2 === UNSPECIFIED_BIT) bits -= UNSPECIFIED_BIT;
  return find(bits, own);
}

function withOwn(own: Readonly<Own> | null, name: string, value: MemTxAttrsValue): Readonly<Own> | null {
  if (OPTION_NAMES.has(name) || name in MemTxAttrs.prototype || name === 'bits' || name === 'own')
    throw new TypeError(`an attribute cannot be named "${name}": the name has a meaning already`);
  if (!OWN_KINDS.has(typeof value) || Number.isNaN(value))
    throw new TypeError(`attribute "${name}" must be a boolean, number, bigint or string, not ${String(value)}`);
  const all: Own = { ...own, [name]: value };
  if (!value) delete all[name];
  const names = Object.keys(all).sort();
  return names.length === 0 ? null : Object.freeze(Object.fromEntries(names.map((each) => [each, all[each]!])));
}

const OWN_KINDS: ReadonlySet<string> = new Set(['boolean', 'number', 'bigint', 'string']);

/** One key for equal own fields: they are sorted, and each value tells its type. */
function ownKey(own: Readonly<Own> | null): string {
  if (own === null) return '';
  return JSON.stringify(Object.entries(own).map(([name, value]) => [name, typeof value, String(value)]));
}

function find(bits: number, own: Readonly<Own> | null): MemTxAttrs {
  const key = own === null ? bits : `${bits}${ownKey(own)}`;
  return table.get(key) ?? table.add(key, new MemTxAttrs(bits, own));
}

/** The one table of this module: a cache of immutable values, so nothing but `===` can tell that it is there. */
const table: InternTable<MemTxAttrs> = /* @__PURE__ */ new InternTable<MemTxAttrs>();

/** The initiator gave no attributes: every field 0 but `unspecified`. Not the same as all clear. */
export const MEMTXATTRS_UNSPECIFIED: MemTxAttrs = /* @__PURE__ */ memTxAttrs({ unspecified: true });
