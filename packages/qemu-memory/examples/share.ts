import { le32 } from '@guestmem/memtx';
import { attach, MemoryCore } from '@guestmem/qemu-memory';

// In the agent that owns the machine:
const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
root.addSubregion(0, core.ram('ram', new SharedArrayBuffer(0x10000)));
const space = core.addressSpace(root, 'memory');
const shared = space.share({ workers: 4 });
const handle = shared.handle(); // worker.postMessage({ handle })
void shared.serveAsync(); // or serve() in a loop, or poll() now and then

// In the worker:
const memory = attach(handle, { flavour: 'quiescent' }); // load, store, read, write, with, txLoad, ...
memory.store(0x1000, le32, 42);
console.log(space.load(0x1000, le32)); // -> 42
memory.quiescent(); // between quanta: from here on the newest map
memory.detach();

// worker.on('exit', () => shared.release(handle)) frees its place at once, whatever it died of.
shared.close();
