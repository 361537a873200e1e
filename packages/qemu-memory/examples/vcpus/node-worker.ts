/** A vCPU in a Node worker. */
import { parentPort, workerData } from 'node:worker_threads';
import type { VcpuStart } from './machine.ts';
import { runVcpu } from './vcpu.ts';

parentPort!.postMessage(runVcpu(workerData as VcpuStart));
