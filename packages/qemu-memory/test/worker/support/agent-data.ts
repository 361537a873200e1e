/** What a test hands to its worker. */
import type { MessagePort } from 'node:worker_threads';
import type { AttachOptions } from '../../../src/worker/attach-options.ts';
import type { AttachedSpace } from '../../../src/worker/attached-space.ts';
import type { SharedSpaceHandle } from '../../../src/worker/handle.ts';
import type { Signals } from './signals.ts';

export interface AgentData {
  readonly scenario: string;
  readonly handle: SharedSpaceHandle;
  readonly options: AttachOptions;
  readonly signals: SharedArrayBuffer;
  readonly args: readonly number[];
  readonly port?: MessagePort;
}

export interface Stage {
  attach(): AttachedSpace;
  readonly signals: Signals;
  readonly args: readonly number[];
}

export type Scenario = (stage: Stage) => unknown;
