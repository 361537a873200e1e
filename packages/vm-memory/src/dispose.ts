/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `Symbol.dispose`, also where the engine does not have it yet. Everything that can be added returns something with
 * `dispose()` and this symbol, so that `using` works; this is the one place that knows of engines without it. D15.
 */

/**
 * The key of the method that `using` calls. In an engine without `Symbol.dispose` it is `Symbol.for('Symbol.dispose')`,
 * which the common polyfills use as well; nothing is installed globally.
 */
export const DISPOSE: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ??
  (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

/** Something that can be given back, with `using` or by hand. Doing it twice is allowed and has no effect. */
export interface DisposableHandle {
  dispose(): void;
  [DISPOSE](): void;
}

/** A handle whose `dispose` runs `release` once. Keeps `release` until then. */
export function disposable(release: () => void): DisposableHandle {
  let pending: (() => void) | undefined = release;
  const dispose = (): void => {
    const run = pending;
    pending = undefined;
    run?.();
  };
  return { dispose, [DISPOSE]: dispose };
}

/**
 * Base of classes with a `dispose`: adds the symbol, which a class of its own cannot name (`[DISPOSE]() {}` is an error
 * under isolatedDeclarations).
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the method is defined in the static block
export abstract class DisposableBase {
  static {
    Object.defineProperty(DisposableBase.prototype, DISPOSE, {
      value(this: DisposableBase) {
        this.dispose();
      },
      writable: true,
      configurable: true,
    });
  }

  abstract dispose(): void;
}

export interface DisposableBase extends DisposableHandle {}
