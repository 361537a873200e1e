/**
 * The owner's list of RAM blocks that workers can reach: gives each an id that no other block ever has, tells attached workers
 * of new ones, and drops a block when no table shows it any more. One that comes back has its id again: a guest may switch
 * banks for longer than the 32 bits of a table's row would last, and a worker that missed that a block was dropped meets that very block.
 */
import type { RamBlock } from '../region/ram-block.ts';
import type { SharedBlock, SharedSegment, SharedSpaceNews } from './handle.ts';

interface Entry {
  readonly block: SharedBlock;
  /** Tables that show it and can still be read. */
  tables: number;
}

/** Blocks by identity. */
export class BlockTable {
  readonly #entries = new Map<RamBlock, Entry>();
  readonly #ids = new WeakMap<RamBlock, number>();
  readonly #tell: (news: SharedSpaceNews) => void;
  #lastId = 0;

  constructor(tell: (news: SharedSpaceNews) => void) {
    this.#tell = tell;
  }

  /** All blocks that workers may know. */
  all(): SharedBlock[] {
    return [...this.#entries.values()].map(({ block }) => block);
  }

  /** The id of `ram`; 0 if workers cannot reach its bytes. A block that is new is known until `retain` and `release`. */
  idOf(ram: RamBlock): number {
    const known = this.#entries.get(ram);
    if (known !== undefined) return known.block.id;
    if (!ram.backing.shared || ram.backing.detachable === true) return 0;
    const block: SharedBlock = {
      id: this.#ids.get(ram) ?? ++this.#lastId,
      name: ram.name,
      segments: segmentsOf(ram),
      pages: ram.dirty.states.buffer as SharedArrayBuffer,
      pageShift: ram.dirty.pageShift,
    };
    this.#ids.set(ram, block.id);
    this.#entries.set(ram, { block, tables: 0 });
    this.#tell({ guestmem: 'ram', block });
    return block.id;
  }

  /** The block with this id, if workers still know it. */
  ramOf(id: number): RamBlock | undefined {
    for (const [ram, { block }] of this.#entries) if (block.id === id) return ram;
    return undefined;
  }

  /** A table is to show these blocks. */
  retain(blocks: Iterable<RamBlock>): void {
    for (const ram of blocks) this.#entries.get(ram)!.tables++;
  }

  /** No worker reads that table any more, or it was not made after all. */
  release(blocks: Iterable<RamBlock>): void {
    for (const ram of blocks) {
      const entry = this.#entries.get(ram)!;
      if (--entry.tables > 0) continue;
      this.#entries.delete(ram);
      this.#tell({ guestmem: 'drop', id: entry.block.id });
    }
  }
}

function segmentsOf(ram: RamBlock): SharedSegment[] {
  const segments: SharedSegment[] = [];
  for (let offset = 0; offset < ram.length; ) {
    const { start, bytes } = ram.backing.segmentAt(offset);
    const length = Math.min(bytes.length, ram.length - start);
    segments.push({ start, buffer: bytes.buffer as SharedArrayBuffer, byteOffset: bytes.byteOffset, length });
    offset = start + length;
  }
  return segments;
}
