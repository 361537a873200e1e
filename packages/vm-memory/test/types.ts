/**
 * What must and what must not compile; `tsc` is the test: an error that does not come is an error ("unused
 * '@ts-expect-error' directive"). Nothing here runs.
 */
import { chunksOf, GrowingSink, guestMemory, saveTo, toBytes, u32 } from '../src/index.ts';

const memory = guestMemory([{ startAddr: 0, memory: 0x1000 }]);

/** As the DOM library has it since TypeScript 5.9: what a `CompressionStream` or a file of a page takes is never shared. */
interface PageWritable {
  getWriter(): {
    readonly ready: Promise<undefined>;
    write(chunk?: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<void>;
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
    releaseLock(): void;
  };
}

/** V-1.5: what is a copy may go to whoever takes no shared memory. */
export async function own(sink: PageWritable, blob: (parts: ArrayBufferView<ArrayBuffer>[]) => void): Promise<void> {
  await saveTo(memory, 0, 0x1000, sink);
  blob([...chunksOf(memory, 0, 0x1000)]);
  blob([toBytes(u32, 1), new GrowingSink().toBytes()]);
  // @ts-expect-error a slice may lie in shared memory
  blob([memory.getSlice(0, 4).bytes]);
}
