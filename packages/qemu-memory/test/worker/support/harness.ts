/** Starts workers, serves them, and ends them. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { bundle } from '../../../../vm-memory/test/support/bundle.ts';
import type { AttachOptions } from '../../../src/worker/attach-options.ts';
import type { SharedSpaceHandle } from '../../../src/worker/handle.ts';
import type { SharedSpace } from '../../../src/worker/shared-space.ts';
import type { AgentData } from './agent-data.ts';
import { Signals } from './signals.ts';

let file: string | undefined;

export interface Run {
  readonly worker: Worker;
  readonly handle: SharedSpaceHandle;
  readonly signals: Signals;
  /** What the scenario returned; rejects with what it threw. */
  readonly done: Promise<unknown>;
}

export interface StartOptions extends AttachOptions {
  readonly args?: readonly number[];
  readonly signals?: Signals;
  readonly handle?: SharedSpaceHandle;
  /** Gives the worker a port for news of RAM. */
  readonly news?: boolean;
}

/** Starts `scenario` in a worker of its own. Its slot is freed when it ends. */
export function start(shared: SharedSpace, scenario: string, options: StartOptions = {}): Run {
  file ??= bundle(new URL('./agent.ts', import.meta.url));
  const { args = [], signals = new Signals(), news = false, handle: given, ...attachOptions } = options;
  const channel = news ? new MessageChannel() : undefined;
  const connection = channel === undefined ? undefined : shared.connect(channel.port1);
  const handle = given ?? shared.handle();
  const data: AgentData = {
    scenario,
    handle,
    options: attachOptions,
    signals: signals.buffer,
    args,
    ...(channel === undefined ? {} : { port: channel.port2 }),
  };
  const worker = new Worker(file, {
    workerData: data,
    ...(channel === undefined ? {} : { transferList: [channel.port2] }),
  });
  const done = new Promise<unknown>((resolve, reject) => {
    worker.once('message', (message: { value?: unknown; error?: object }) => {
      if (message.error === undefined) resolve(message.value);
      else reject(Object.assign(new Error('the worker threw'), message.error));
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      shared.release(handle);
      connection?.dispose();
      channel?.port1.close();
      reject(new Error('the worker ended without a result'));
    });
  });
  done.catch(() => undefined);
  return { worker, handle, signals, done };
}

/** Serves until `promise` has settled. */
export async function served<T>(shared: SharedSpace, promise: Promise<T>): Promise<T> {
  let settled = false;
  const both = promise.finally(() => {
    settled = true;
  });
  while (!settled) {
    shared.poll();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return both;
}
