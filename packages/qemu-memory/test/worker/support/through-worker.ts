/**
 * Makes the access tests go through a worker: each access of an address space is made by an attached space in another
 * thread, while this one, the owner, serves; devices and their logs stay here. Accesses that device callbacks make are the
 * owner's own, as in a program.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { MemTx, MemTxAttrs, NOT_DIRECT } from '@guestmem/memtx';
import type { AddressSpace, SharedSpace } from '@guestmem/qemu-memory';
import { ScalarCodec } from '@guestmem/vm-memory';
import { bundle } from '../../../../vm-memory/test/support/bundle.ts';
import { getError } from '../../../src/worker/remote-error.ts';
import { DONE, GO, type Outcome, type ThroughData, type ThroughMessage } from './through-protocol.ts';

const METHODS = [
  'load',
  'store',
  'txLoad',
  'txStore',
  'txRead',
  'txWrite',
  'set',
  'writeRom',
  'stlNotdirty',
  'accessValid',
  'isIo',
  'checkRange',
] as const;

type Methods = Record<string, (...args: unknown[]) => unknown>;

/** One worker that many spaces go through. */
export class ThroughWorker {
  /** Accesses made by the worker, and those of them that it asked the owner for. */
  accesses = 0;
  forwarded = 0;
  readonly #channel = new MessageChannel();
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #shared: SharedSpace[] = [];
  #turn = 0;
  #failed: string | null = null;
  #inside = false;
  #thrown: Error | null = null;

  constructor(flavour: 'barrier' | 'quiescent') {
    const data: ThroughData = { port: this.#channel.port2, words: this.#words.buffer as SharedArrayBuffer, flavour };
    this.#worker = new Worker(bundle(new URL('./through-agent.ts', import.meta.url)), {
      workerData: data,
      transferList: [this.#channel.port2],
    });
  }

  /** From here on accesses to `space` are made by the worker. */
  take(space: AddressSpace): void {
    const own = space as unknown as Methods;
    let id = -1;
    for (const method of METHODS) {
      const local = own[method]!.bind(space);
      own[method] = (...args: unknown[]): unknown => {
        if (this.#inside) return this.#locally(() => local(...args)); // A device callback, or the ring's server.
        if (id < 0) id = this.#attach(space);
        return this.#call(id, method, args);
      };
    }
    const { txReadDirect, txWriteDirect } = space;
    space.txReadDirect = (addr, codec) =>
      (this.#inside ? txReadDirect.call(space, addr, codec as never) : NOT_DIRECT) as never;
    space.txWriteDirect = (addr, codec, value) => this.#inside && txWriteDirect.call(space, addr, codec, value);
    for (const method of ['readObj', 'writeObj'] as const) {
      const local = own[method]!.bind(space);
      own[method] = (...args) =>
        this.#inside ? local(...args) : (space.with({}) as unknown as Methods)[method]!(...args);
    }
  }

  /** Spaces that were taken are closed. */
  closeAll(): void {
    for (const shared of this.#shared) shared.close();
  }

  async stop(): Promise<void> {
    this.closeAll();
    await this.#worker.terminate();
    this.#channel.port1.close();
  }

  #attach(space: AddressSpace): number {
    const shared = space.share({ workers: 1, tables: 4, ringEntries: 1, ringPayload: 1024 });
    const news = new MessageChannel();
    shared.connect(news.port1);
    const id = this.#shared.push(shared) - 1;
    this.#exchange(shared, { attach: { id, handle: shared.handle(), news: news.port2 } }, [news.port2]);
    news.port1.unref();
    return id;
  }

  #call(space: number, method: string, args: readonly unknown[]): unknown {
    const outcome = this.#exchange(this.#shared[space]!, { call: { space, method, args: args.map(standIn) } });
    const { value, bytes, tx, error, forwarded = 0 } = outcome;
    this.accesses++;
    this.forwarded += forwarded;
    const buffer = args.find((arg) => arg instanceof Uint8Array);
    if (buffer !== undefined && bytes !== undefined) buffer.set(bytes);
    const report = args.find((arg) => arg instanceof MemTx);
    if (report !== undefined && tx !== undefined) Object.assign(report, tx);
    if (error !== undefined) this.#rethrow(getError(error, error.length, args[0] as number | bigint));
    return value;
  }

  #locally(run: () => unknown): unknown {
    try {
      return run();
    } catch (error) {
      this.#thrown = error as Error;
      throw error;
    }
  }

  /** What has no class in the worker arrives as a WorkerError that names it: then the test gets what the owner threw. */
  #rethrow(error: Error & { readonly code?: string }): never {
    const thrown = this.#thrown;
    const named =
      thrown !== null && error.message.includes(`${thrown.name} `) && error.message.includes(thrown.message);
    throw error.code === 'remote-error' && named ? thrown : error;
  }

  /** Hands the worker a turn, and serves until it has taken it. @throws at once if the worker was lost before. */
  #exchange(shared: SharedSpace, message: ThroughMessage, transfer: readonly MessagePort[] = []): Outcome {
    if (this.#failed !== null) throw new Error(this.#failed);
    const words = this.#words;
    this.#channel.port1.postMessage(message, transfer as never);
    Atomics.add(words, GO, 1);
    Atomics.notify(words, GO);
    const deadline = Date.now() + 10_000;
    this.#inside = true;
    try {
      while (Atomics.load(words, DONE) === this.#turn) {
        if (shared.poll() > 0) continue;
        if (Date.now() > deadline) {
          this.#failed = `the worker did not answer in 10 s: ${JSON.stringify(Object.keys(message))}`;
          throw new Error(this.#failed);
        }
        Atomics.wait(words, DONE, this.#turn, 0.05);
      }
    } finally {
      this.#inside = false;
    }
    this.#turn++;
    return receiveMessageOnPort(this.#channel.port1)!.message as Outcome;
  }
}

function standIn(value: unknown): unknown {
  if (value instanceof ScalarCodec) return { codec: value.name };
  if (value instanceof MemTxAttrs) return { bits: value.bits, own: value.own };
  return value instanceof MemTx ? { tx: { ...value } } : value;
}
