/** The worker's main program: runs one scenario and reports what it returned or threw. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AttachOptions } from '../../../src/worker/attach-options.ts';
import { attach } from '../../../src/worker/attached-space.ts';
import type { AgentData } from './agent-data.ts';
import { scenarios } from './scenarios.ts';
import { Signals } from './signals.ts';

const data = workerData as AgentData;
const port = data.port;
const options: AttachOptions = {
  ...data.options,
  ...(port === undefined ? {} : { receive: () => receiveMessageOnPort(port)?.message }),
};

function report(): void {
  try {
    const scenario = scenarios[data.scenario]!;
    const value = scenario({
      attach: () => attach(data.handle, options),
      signals: new Signals(data.signals),
      args: data.args,
    });
    parentPort!.postMessage({ value });
  } catch (error) {
    const { name, message, code, result, completed, addr, cause } = error as Record<string, unknown>;
    parentPort!.postMessage({ error: { name, message, code, result, completed, addr, cause } });
  }
}

report();
