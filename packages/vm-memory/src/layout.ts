/** What struct and array codecs share: alignment, byte order of the parts, and checks that come before any byte moves. */
import { type ByteOrder, type Codec, ScalarCodec } from './codec.ts';
import { inOrder, statesNoOrder } from './scalar.ts';

/** A codec of several parts. */
interface Composite<T> extends Codec<T> {
  readonly align: number;
  check?(value: T): void;
  /** All of `value`, checked, and read for the last time: reading may load from the memory that is written next, or call a program. */
  take?(value: T): unknown;
  /** Writes what `take` gave. */
  put?(view: DataView, offset: number, taken: unknown): void;
  withOrder?(order: ByteOrder): Codec<T>;
}

/**
 * The codec of a part. A scalar codec of another copy of this package, or one by shape alone, is told from codecs of no known kind: those are
 * neither aligned nor given an order, and nothing would say so.
 */
export function partCodec<T>(codec: Codec<T>): Codec<T> {
  const { name, kind, size, littleEndian } = codec as ScalarCodec<T>;
  if (codec instanceof ScalarCodec || typeof kind !== 'number' || typeof littleEndian !== 'boolean') return codec;
  return new ScalarCodec<T>(
    name,
    kind,
    size as 1 | 2 | 4 | 8,
    littleEndian,
    (view, offset) => codec.get(view, offset),
    (view, offset, value) => codec.set(view, offset, value),
  );
}

/** What a C compiler aligns a value of this codec to; codecs that do not tell are not aligned. */
export function alignOf(codec: Codec<unknown>): number {
  return codec instanceof ScalarCodec ? codec.size : ((codec as Partial<Composite<unknown>>).align ?? 1);
}

/** The codec with its host-order parts in `order`. What states an order of its own keeps it. */
export function reorder<T>(codec: Codec<T>, order: ByteOrder): Codec<T> {
  if (codec instanceof ScalarCodec) return statesNoOrder(codec) ? inOrder(codec, order) : codec;
  return (codec as Partial<Composite<T>>).withOrder?.(order) ?? codec;
}

/** A part of a value, as `take` of its codec: a field by its name, an element by its index. Its error says where. */
export function takePart<T>(codec: Codec<T>, value: T, part: string | number): unknown {
  try {
    return take(codec, value);
  } catch (cause) {
    const { message } = cause as Error;
    const name = typeof part === 'number' ? `[${part}]` : `.${part}`;
    const where = message.startsWith('[') || message.startsWith('.') ? `${name}${message}` : `${name}: ${message}`;
    if (cause instanceof RangeError) throw new RangeError(where, { cause });
    throw new TypeError(where, { cause });
  }
}

/** Codecs of others are asked when they are set. */
function take<T>(codec: Codec<T>, value: T): unknown {
  if (codec instanceof ScalarCodec)
    codec.set(SCRATCH, 0, value); // throws what it refuses
  else {
    const composite = codec as Partial<Composite<T>>;
    if (composite.take !== undefined) return composite.take(value);
    composite.check?.(value);
  }
  return value;
}

/** Writes what `takePart` gave for this codec. */
export function putPart<T>(codec: Codec<T>, view: DataView, offset: number, taken: unknown): void {
  if (codec instanceof ScalarCodec) codec.set(view, offset, taken as T);
  else {
    const composite = codec as Partial<Composite<T>>;
    if (composite.put !== undefined) composite.put(view, offset, taken);
    else codec.set(view, offset, taken as T);
  }
}

/** Written to check values, never read. */
const SCRATCH: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));
