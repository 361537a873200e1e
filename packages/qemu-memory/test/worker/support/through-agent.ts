/** The worker of through-worker.ts: attaches to whatever it is told to, and makes one access at a time. */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import * as memtx from '@guestmem/memtx';
import type { ScalarCodec } from '@guestmem/vm-memory';
import { type AttachedSpace, attach } from '../../../src/worker/attached-space.ts';
import { putError } from '../../../src/worker/remote-error.ts';
import { type Call, DONE, GO, type ThroughData, type ThroughMessage } from './through-protocol.ts';

const { port, words: buffer, flavour } = workerData as ThroughData;
const words = new Int32Array(buffer);
const spaces = new Map<number, AttachedSpace>();
const text = new Uint8Array(8192);

/** Turns what stands for an argument into the argument. */
function argument(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('codec' in value) return (memtx as unknown as Record<string, ScalarCodec<unknown>>)[value.codec as string];
  if ('bits' in value) {
    const { bits, own } = value as { bits: number; own: memtx.MemTxAttrsFields | null };
    const attrs = memtx.memTxAttrsFromBits(bits);
    return own === null ? attrs : memtx.mergeMemTxAttrs(attrs, { ...own, unspecified: attrs.unspecified });
  }
  return 'tx' in value ? Object.assign(new memtx.MemTx(), value.tx) : value;
}

function run({ space: id, method, args }: Call): object {
  const given = args.map(argument);
  const bytes = given.find((arg) => arg instanceof Uint8Array);
  const tx = given.find((arg) => arg instanceof memtx.MemTx);
  const space = spaces.get(id)!;
  if (flavour === 'quiescent') space.quiescent();
  const before = space.forwarded;
  let value: unknown;
  let error: Uint8Array | undefined;
  try {
    value = (space as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(...given);
  } catch (thrown) {
    error = text.slice(0, putError(text, thrown));
  }
  return { value, error, bytes, tx: { ...tx }, forwarded: space.forwarded - before };
}

function take(message: ThroughMessage): object {
  if ('call' in message) return run(message.call);
  const { handle, news, id } = message.attach;
  const ports: MessagePort = news;
  spaces.set(id, attach(handle, { flavour, timeoutMs: 8000, receive: () => receiveMessageOnPort(ports)?.message }));
  return {};
}

for (let turn = 0; ; turn++) {
  while (Atomics.load(words, GO) === turn) Atomics.wait(words, GO, turn);
  port.postMessage(take(receiveMessageOnPort(port)!.message as ThroughMessage));
  Atomics.add(words, DONE, 1);
  Atomics.notify(words, DONE);
}
