/** The machine of the access tests, with RAM in shared memory and every access made by a worker. */
import type { AddressSpace, MemoryCoreOptions, MemoryRegion, RamBlock } from '@guestmem/qemu-memory';
import { type Backing, bufferBacking, type GuestAddress } from '@guestmem/vm-memory';
import type { TestMachine } from '../../support/machine.ts';
import type { ThroughWorker } from './through-worker.ts';

/** Tests that mean something else when the owner serves, with the reason. */
export const NOT_THROUGH: Readonly<Record<string, string>> = {
  'A-60, T-97: what a callback unmaps is not reclaimed before the transfer that may still use it has ended':
    'serving reclaims right after the transfer, the test expects the next commit to; shared-space.test.ts has it',
};

/** `Machine`, but its spaces go through `worker`. */
export function throughMachine(Machine: typeof TestMachine, worker: ThroughWorker): typeof TestMachine {
  return class ThroughMachine extends Machine {
    constructor(options: MemoryCoreOptions = {}) {
      super(options);
      worker.take(this.space);
      const make = this.core.addressSpace.bind(this.core);
      this.core.addressSpace = (...args: Parameters<typeof make>): AddressSpace => {
        const space = make(...args);
        worker.take(space);
        return space;
      };
    }

    override ram(
      start: GuestAddress,
      size: number,
      name = 'ram',
      memory: Backing | RamBlock = bufferBacking(size, { shared: true }),
    ): MemoryRegion {
      return super.ram(start, size, name, memory);
    }
  };
}
