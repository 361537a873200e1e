/** A vCPU in a browser's worker. */
import type { VcpuStart } from './machine.ts';
import { runVcpu } from './vcpu.ts';

interface WorkerScope {
  onmessage: ((event: { readonly data: VcpuStart }) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data }) => scope.postMessage(runVcpu(data));
