/** The suite's end of owner-agent.ts: asks it, and waits for the answer without returning to the event loop. */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { SharedSpaceHandle } from '@guestmem/qemu-memory';
import type { ByteOrder, GuestAddress, Permissions } from '@guestmem/vm-memory';
import { bundle } from './bundle.ts';
import type { Call } from './machines.ts';

export type OwnerRequest =
  | {
      readonly make: 'ranges';
      readonly ranges: readonly { readonly start: GuestAddress; readonly length: number }[];
      readonly shared: boolean;
    }
  | { readonly make: 'grid'; readonly target: ByteOrder }
  | { readonly make: 'mixed' }
  | { readonly calls: number }
  | { readonly close: number }
  | { readonly check: number; readonly addr: GuestAddress; readonly len: GuestAddress; readonly access?: Permissions };

/** One owner in its own thread. */
export class RemoteOwner {
  readonly #channel = new MessageChannel();
  readonly #words = new Int32Array(new SharedArrayBuffer(16));
  readonly #worker: Worker;
  #answers = 0;

  constructor() {
    this.#worker = new Worker(bundle('./owner-agent.ts'), {
      workerData: { port: this.#channel.port2, signal: this.#words.buffer },
      transferList: [this.#channel.port2],
    });
  }

  make(request: Extract<OwnerRequest, { make: string }>): { readonly id: number; readonly handle: SharedSpaceHandle } {
    return this.#ask(request) as { id: number; handle: SharedSpaceHandle };
  }
  calls(id: number): Call[] {
    return this.#ask({ calls: id }) as Call[];
  }
  check(id: number, addr: GuestAddress, len: GuestAddress, access?: Permissions): boolean {
    return this.#ask({ check: id, addr, len, ...(access === undefined ? {} : { access }) }) as boolean;
  }
  close(id: number): void {
    this.#ask({ close: id });
  }
  async stop(): Promise<void> {
    await this.#worker.terminate();
    this.#channel.port1.close();
  }

  #ask(request: OwnerRequest): unknown {
    this.#channel.port1.postMessage(request);
    const deadline = Date.now() + 20_000;
    while (Atomics.load(this.#words, 0) === this.#answers) {
      if (Date.now() > deadline) throw new Error('the owner thread does not answer');
      Atomics.wait(this.#words, 0, this.#answers, 100);
    }
    this.#answers++;
    return receiveMessageOnPort(this.#channel.port1)!.message;
  }
}
