/** What a vCPU does, in a worker of either kind. */
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx, MemTxResult } from '@guestmem/memtx';
import { attach } from '@guestmem/qemu-memory';
import { BAR_WORD, COUNTERS, DEVICE_ID, type VcpuReport, type VcpuStart } from './machine.ts';

/** A small loop: count in RAM, and every hundredth time ask the device. Ends a quantum each 1000 rounds. */
export function runVcpu({ id, handle, rounds }: VcpuStart): VcpuReport {
  const space = attach(handle, { flavour: 'quiescent' });
  const tx = new MemTx();
  const counter = COUNTERS + 4 * id;
  let deviceReads = 0;
  let misses = 0;
  let wrong = 0;
  for (let round = 0; round < rounds; round++) {
    space.store(counter, le32, space.load(counter, le32) + 1);
    if (round % 100 === 0) {
      const bar = space.load(BAR_WORD, le32);
      const value = space.txLoad(bar, le32, MEMTXATTRS_UNSPECIFIED, tx);
      if (tx.result !== MemTxResult.OK) misses++;
      else if (value === DEVICE_ID) deviceReads++;
      else wrong++;
    }
    if (round % 1000 === 999) space.quiescent();
  }
  space.detach();
  return { id, rounds, deviceReads, misses, wrong };
}
