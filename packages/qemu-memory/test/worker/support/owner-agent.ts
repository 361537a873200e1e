/** An owner in a thread of its own: builds machines, shares and serves them, so that a suite can run on the attached side. */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { SharedSpace } from '@guestmem/qemu-memory';
import { type Built, grid, mixed, ranges } from './machines.ts';
import type { OwnerRequest } from './remote-owner.ts';

const { port, signal } = workerData as { readonly port: MessagePort; readonly signal: SharedArrayBuffer };
const words = new Int32Array(signal);
const machines: (Built & { readonly shared: SharedSpace })[] = [];

function answer(request: OwnerRequest): unknown {
  if ('make' in request) {
    const built =
      request.make === 'ranges'
        ? ranges(request.ranges, request.shared)
        : request.make === 'grid'
          ? grid(request.target)
          : mixed();
    const shared = built.space.share({ tables: 2, workers: 2, ringEntries: 2, ringPayload: 1024 });
    machines.push({ ...built, shared });
    return { id: machines.length - 1, handle: shared.handle() };
  }
  if ('close' in request) {
    machines[request.close]!.shared.close();
    return null;
  }
  if ('calls' in request) return machines[request.calls]!.calls.splice(0);
  const { check, addr, len, access } = request;
  return machines[check]!.space.checkRange(addr, len, access);
}

for (;;) {
  const message = receiveMessageOnPort(port)?.message as OwnerRequest | undefined;
  if (message !== undefined) {
    if ('stop' in message) break;
    port.postMessage(answer(message));
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
  }
  const live = machines.at(-1)?.shared;
  if (live === undefined) Atomics.wait(words, 1, 0, 1);
  else live.serve({ timeoutMs: 0 });
  for (const { shared } of machines) shared.poll();
}
