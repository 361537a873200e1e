/** The example in a page. The server must send the isolation headers (COOP and COEP), or there is no SharedArrayBuffer. */
import { runMachine, type VcpuReport } from './machine.ts';

interface BrowserWorker {
  onmessage: ((event: { readonly data: VcpuReport }) => void) | null;
  onerror: ((event: { readonly message: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}
interface Page {
  readonly Worker: new (url: string, options: { readonly type: 'module' }) => BrowserWorker;
  readonly document: { readonly body: { textContent: string } };
}

const page = globalThis as unknown as Page;
try {
  const summary = await runMachine(
    (start, shared) =>
      new Promise<VcpuReport>((resolve, reject) => {
        const worker = new page.Worker('./browser-worker.mjs', { type: 'module' });
        const end = (): void => {
          worker.terminate();
          shared.release(start.handle); // A page's worker has no exit event: who ends it says so.
        };
        worker.onmessage = ({ data }) => {
          end();
          resolve(data);
        };
        worker.onerror = ({ message }) => {
          end();
          reject(new Error(message));
        };
        worker.postMessage(start);
      }),
    20_000,
  );
  page.document.body.textContent = JSON.stringify(summary);
} catch (error) {
  page.document.body.textContent = `failed: ${String(error)}`;
}
