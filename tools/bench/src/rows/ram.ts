/** The RAM that the rows of this process share: one region or eight, filled as every peer's is. */
import { fill, REGION_BYTES, type StreamName } from '../harness/streams.ts';

/** Host buffers of the regions of `stream`, 64 MiB each, side by side in guest memory. */
export function ramFor(stream: StreamName, shared = false): readonly DataView[] {
  const count = stream.endsWith('8') ? 8 : 1;
  return Array.from({ length: count }, (_, i) => {
    const buffer = shared ? new SharedArrayBuffer(REGION_BYTES) : new ArrayBuffer(REGION_BYTES);
    const view = new DataView(buffer);
    fill(view, i * REGION_BYTES, stream.startsWith('hot') ? 4 << 20 : REGION_BYTES);
    return view;
  });
}
