/** An owner in a thread of its own: builds machines, shares and serves them, so that a suite can run on the attached side. */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { SharedSpace } from '@guestmem/qemu-memory';
import { type Built, grid, mixed, ranges } from './machines.ts';
import type { OwnerRequest } from './remote-owner.ts';

/** Rounds without work after which the owner rests a little. */
const IDLE_ROUNDS = 200;

const { port, signal } = workerData as { readonly port: MessagePort; readonly signal: SharedArrayBuffer };
const words = new Int32Array(signal);
const machines = new Map<number, Built & { readonly shared: SharedSpace }>();
let lastId = 0;

function build(request: Extract<OwnerRequest, { make: string }>): Built {
  if (request.make === 'ranges') return ranges(request.ranges, request.shared);
  return request.make === 'grid' ? grid(request.target) : mixed();
}

function answer(request: OwnerRequest): unknown {
  if ('make' in request) {
    const built = build(request);
    const shared = built.space.share({ tables: 2, workers: 2, ringEntries: 2, ringPayload: 1024 });
    machines.set(++lastId, { ...built, shared });
    return { id: lastId, handle: shared.handle() };
  }
  if ('close' in request) {
    machines.get(request.close)?.shared.close();
    machines.delete(request.close);
    return null;
  }
  return machines.get(request.calls)!.calls.splice(0);
}

for (let idle = 0; ; idle++) {
  const message = receiveMessageOnPort(port)?.message as OwnerRequest | undefined;
  if (message !== undefined) {
    idle = 0;
    let reply: { value?: unknown; error?: string };
    try {
      reply = { value: answer(message) };
    } catch (error) {
      reply = { error: String(error instanceof Error ? error.stack : error) };
    }
    port.postMessage(reply);
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
  }
  for (const { shared } of machines.values()) if (shared.poll() > 0) idle = 0;
  if (idle > IDLE_ROUNDS) Atomics.wait(words, 1, 0, 0.2);
}
