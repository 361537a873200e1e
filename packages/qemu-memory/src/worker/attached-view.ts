/**
 * A flat view of another agent, held fast: every access, direct or through the owner, meets the map as it was, until the
 * view is given back. The owner holds it meanwhile, so the worker needs no section and no quantum for it., T-94.
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import { DISPOSE, type DisposableHandle, type GuestAddress } from '@guestmem/vm-memory';
import { AttachedAccess } from './attached-access.ts';
import type { AttachedSpace } from './attached-space.ts';
import { WorkerError } from './error.ts';
import type { RingClient } from './ring-client.ts';
import type { TableReader } from './table-reader.ts';

/** `using` disposes it. */
export interface AttachedView extends DisposableHandle {}

/** Access to a view that does not change. Made by `memory()`; belongs to the agent that did. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor sets the one member
export class AttachedView extends AttachedAccess {
  readonly #space: AttachedSpace;
  readonly #pin: number;
  #held = true;

  /** @hideconstructor */
  constructor(space: AttachedSpace, pin: number, reader: TableReader, client: RingClient) {
    super(space.name, space.order, reader, client);
    this.#space = space;
    this.#pin = pin;
    this.keeps = true;
    this.reader.refresh();
    this[DISPOSE] = () => this.dispose();
  }

  get disposed(): boolean {
    return !this.#held;
  }

  /** The same view, held once more. */
  memory(): AttachedView {
    return this.#space.pin(this.#pin);
  }

  /**
   * Gives the view back; accesses are refused from here on, in any case. Twice is once.
   * @throws {WorkerError} the owner does not serve, and still holds the view: dispose of it again, or leave that to `detach`.
   */
  dispose(): void {
    this.end();
    this.#space.unpin(this, this.#pin);
  }

  /** @internal Refuses accesses from here on. */
  end(): void {
    this.#held = false;
    this.closeWindows();
    this.reader.forget();
  }

  /** @internal */
  protected override enter(): void {
    if (!this.#held) throw new WorkerError('closed', `this view of "${this.name}" was given back`);
    this.#space.check();
  }
  /** @internal */
  protected override leave(): void {}
  /** @internal */
  override hold(): void {
    this.enter();
  }
  /** @internal */
  override release(): void {}

  /** @internal */
  protected override forward(
    op: number,
    addr: GuestAddress,
    attrs: MemTxAttrs,
    flags: number,
    input?: Uint8Array,
    output?: Uint8Array,
    total?: number,
  ): void {
    this.enter();
    this.#space.transact(this.#pin, op, addr, attrs, flags, input, output, total);
  }
}
