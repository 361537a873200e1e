/** What listeners are asked and told about one RAM block: its bits are one set, so it goes to every machine that shows it. D7, A-189. */
import { throwCollected } from '../rcu/callback-queue.ts';
import type { RamBlock } from '../region/ram-block.ts';
import { collector } from '../space/committer.ts';
import type { MemoryCore } from '../space/memory-core.ts';

/** The machines that have a region over `block`, those that are gone left out. */
export function* coresOf(block: RamBlock): Generator<MemoryCore, void, void> {
  for (const weak of block.cores) {
    const core = weak.deref();
    if (core === undefined) block.cores.delete(weak);
    else yield core;
  }
}

/** Has the listeners of all of them bring its dirty pages up to date. @throws what they threw, when all were asked. */
export function syncBlock(block: RamBlock): void {
  everyCore(block, (core) => core.dirtyLogSync(block));
}

/** Tells the listeners of all of them that these bytes are clean. @throws as `syncBlock`. */
export function clearBlock(block: RamBlock, offset: number, len: number): void {
  everyCore(block, (core) => core.dirtyLogClear(block, offset, len));
}

/** Tells the listeners of all of them that its pages have been collected. @throws as `syncBlock`. */
export function afterSyncBlock(block: RamBlock): void {
  everyCore(block, (core) => core.dirtyLogAfterSync());
}

function everyCore(block: RamBlock, tell: (core: MemoryCore) => void): void {
  const errors: unknown[] = [];
  for (const core of coresOf(block)) collector(errors)(() => tell(core));
  throwCollected(errors);
}
