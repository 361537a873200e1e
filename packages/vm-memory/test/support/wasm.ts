/** `WebAssembly.Memory`, which the type libraries of Node leave out. */
interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

/** Makes one of `initial` pages of 64 KiB. */
export function wasmMemory(initial: number, options: { maximum?: number; shared?: boolean } = {}): WasmMemory {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: new (o: object) => WasmMemory } };
  return new WebAssembly.Memory({ initial, ...options });
}
