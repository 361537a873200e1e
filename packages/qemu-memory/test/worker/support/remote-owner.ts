/**
 * The suite's end of owner-agent.ts: asks it, and waits for the answer without returning to the event loop. An owner that
 * does not answer is given up for good: every later question fails at once, with the reason, instead of waiting again.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { SharedSpaceHandle } from '@guestmem/qemu-memory';
import type { ByteOrder, GuestAddress } from '@guestmem/vm-memory';
import { bundle } from '../../../../vm-memory/test/support/bundle.ts';
import type { Call } from './machines.ts';

const PATIENCE_MS = 10_000;

export type OwnerRequest =
  | {
      readonly make: 'ranges';
      readonly ranges: readonly { readonly start: GuestAddress; readonly length: number }[];
      readonly shared: boolean;
    }
  | { readonly make: 'grid'; readonly target: ByteOrder }
  | { readonly make: 'mixed' }
  | { readonly calls: number }
  | { readonly close: number };

/** One owner in its own thread. */
export class RemoteOwner {
  readonly #channel = new MessageChannel();
  readonly #words = new Int32Array(new SharedArrayBuffer(16));
  readonly #worker: Worker;
  #answers = 0;
  #lost: string | null = null;

  constructor() {
    this.#worker = new Worker(bundle(new URL('./owner-agent.ts', import.meta.url)), {
      workerData: { port: this.#channel.port2, signal: this.#words.buffer },
      transferList: [this.#channel.port2],
    });
    this.#worker.on('error', (error) => {
      this.#lost = `the owner thread died: ${error.stack}`;
    });
  }

  /** @throws if the owner is lost: call it before each test. */
  check(): void {
    if (this.#lost !== null) throw new Error(this.#lost);
  }
  make(request: Extract<OwnerRequest, { make: string }>): { readonly id: number; readonly handle: SharedSpaceHandle } {
    return this.#ask(request) as { id: number; handle: SharedSpaceHandle };
  }
  calls(id: number): Call[] {
    return this.#ask({ calls: id }) as Call[];
  }
  close(id: number): void {
    this.#ask({ close: id });
  }
  async stop(): Promise<void> {
    await this.#worker.terminate();
    this.#channel.port1.close();
  }

  #ask(request: OwnerRequest): unknown {
    this.check();
    this.#channel.port1.postMessage(request);
    const deadline = Date.now() + PATIENCE_MS;
    while (Atomics.load(this.#words, 0) === this.#answers) {
      if (Date.now() > deadline) {
        this.#lost = `the owner thread has not answered ${Object.keys(request).join()} in ${PATIENCE_MS} ms`;
        throw new Error(this.#lost);
      }
      Atomics.wait(this.#words, 0, this.#answers, 100);
    }
    this.#answers++;
    const reply = receiveMessageOnPort(this.#channel.port1)!.message as { value?: unknown; error?: string };
    if (reply.error !== undefined) throw new Error(`the owner thread: ${reply.error}`);
    return reply.value;
  }
}
