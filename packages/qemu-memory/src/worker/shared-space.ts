/**
 * The owner's side of a shared address space: publishes its RAM as tables in shared memory, serves what only the owner can
 * do, reclaims tables after grace periods, and lets go of workers that have died. Commits never wait for workers: where no
 * table is free the empty one is published, and accesses go through the owner until one is. D8, A-238, A-247.
 */
import { badNumber, type DisposableHandle, disposable } from '@guestmem/vm-memory';
import { throwCollected } from '../rcu/callback-queue.ts';
import type { RemoteReaders } from '../rcu/local-rcu.ts';
import { milliseconds } from '../rcu/milliseconds.ts';
import { type DomainFaults, RcuDomain } from '../rcu/shared-domain.ts';
import { SteadyClock } from '../rcu/steady-clock.ts';
import { nextTurn, waitWord, waitWordAsync } from '../rcu/wait.ts';
import type { AddressSpace } from '../space/address-space.ts';
import { BlockTable } from './block-table.ts';
import { WorkerError } from './error.ts';
import { type EvictEvent, Evictions } from './evictions.ts';
import { type NewsPort, PROTOCOL, type SharedSpaceHandle } from './handle.ts';
import { OwnerQuestions } from './owner-questions.ts';
import { Patience } from './patience.ts';
import { PinList } from './pin-list.ts';
import { createRing, DOORBELL, Ring, SLEEPING } from './ring-layout.ts';
import { RingServer } from './ring-server.ts';
import { ServingReaders } from './serving-readers.ts';
import { TablePublisher } from './table-publisher.ts';

/** How to share. */
export interface ShareOptions {
  /** Most workers attached at a time (default 16). */
  readonly workers?: number;
  /** Tables in the arena (default 16); with fewer, fast commits send workers through the owner more often. */
  readonly tables?: number;
  /** RAM ranges a table can show (default 256); what is beyond goes through the owner. */
  readonly rows?: number;
  /** Requests in flight (default 16). A worker that was let go may keep one taken until it goes on, or `release`: have more than such workers. */
  readonly ringEntries?: number;
  /** Bytes of a request that travel at a time, a multiple of 64 from 512 to 2^24 (default 4096). */
  readonly ringPayload?: number;
  /**
   * A worker that keeps a grace period from ending, or does not collect an answer, for longer is let go (default 30000 ms;
   * Infinity: never). Of time in which the owner did not look at most half of that counts: the machine may have been suspended.
   * Such a worker may still be alive, and nothing can stop it from storing into RAM that it has found. So what it could
   * reach when it was let go, and what it has pinned, is used for nothing else and its owners keep their references until
   * `release` says that it has ended; all else is reclaimed without it. It gets a typed error when it comes back. RCU
   * callbacks of the program's own run as if it had ended: what they reuse must not be what that worker may write.
   */
  readonly stallMs?: number;
  /** Told when a worker was let go for that. What it throws surfaces as `SharedSpace.poll`, `serve` and `serveAsync` say. */
  readonly onEvict?: (event: EvictEvent) => void;
  /** @hidden Deviations for tests. */
  readonly faults?: ShareFaults;
}

/** @hidden Deviations that the stress test switches on to see them caught. */
export interface ShareFaults extends DomainFaults {
  /** Reuses tables at once. */
  readonly earlyReclaim?: boolean;
}

/** How to serve. */
export interface ServeOptions {
  /** Serve until this says true; asked after each round. Default: until closed. */
  readonly until?: () => boolean;
  /** Serve at most so long, in ms, 0 to Infinity. */
  readonly timeoutMs?: number;
}

/** Counts since the start. */
export interface SharedSpaceStats {
  /** Tables published, without the empty one. */
  readonly publications: number;
  /** Commits that found no free table. */
  readonly overflows: number;
  /** Grace periods that have ended. */
  readonly gracePeriods: number;
  /** Requests performed for workers. */
  readonly served: number;
  /** Tables that a commit can be published in now. */
  readonly freeTables: number;
  /** Tables that are not used because a worker that was let go, and has not ended yet, may still read them. */
  readonly lostTables: number;
  /** Pinned views that workers hold. */
  readonly pinned: number;
}

const SLICE_MS = 20;
/** For the next request after one: 80 us, the way back of a caller that slept; and 3 us. */
const MOST_LOOKS = 8000;
const LEAST_LOOKS = 300;
/** Bytes that hold any MemTxError: its fields take 346 at most, its message gets the rest. */
const LEAST_PAYLOAD = 512;
/** Requests served from one turn of the event loop, in bursts. */
const ROUNDS = 32;

/** One shared address space. Make it with `AddressSpace.share`. */
export class SharedSpace {
  readonly space: AddressSpace;
  readonly domain: RcuDomain;
  /** For another LocalRcu of this agent: `rcu.waitAlso(shared.readers)` makes its callbacks wait for the workers too. */
  readonly readers: RemoteReaders;
  readonly #ring: Ring;
  readonly #ringBuffer: SharedArrayBuffer;
  readonly #server: RingServer;
  readonly #blocks: BlockTable;
  readonly #publisher: TablePublisher;
  readonly #pins: PinList;
  readonly #ports = new Set<{ readonly port: NewsPort }>();
  readonly #patience = new Patience(MOST_LOOKS, LEAST_LOOKS);
  readonly #evictions: Evictions;
  readonly #unfollow: () => void;
  /** Ends waiting for the workers' readers; null when that is done. */
  #stopWaiting: (() => void) | null;
  #closed = false;
  #windsUp = false;

  /** @hideconstructor */
  constructor(space: AddressSpace, options: ShareOptions = {}) {
    const workers = positive(options.workers, 16, 4096, 'workers');
    const entries = positive(options.ringEntries, 16, 4096, 'ringEntries');
    const payload = options.ringPayload ?? 4096;
    if (!(Number.isInteger(payload / 64) && payload >= LEAST_PAYLOAD && payload <= 2 ** 24))
      throw badNumber(`ringPayload must be a multiple of 64 from ${LEAST_PAYLOAD} to 2^24`, payload);
    this.space = space;
    this.domain = RcuDomain.create(workers, options.faults);
    this.#ringBuffer = createRing(entries, payload);
    this.#ring = new Ring(this.#ringBuffer);
    this.#blocks = new BlockTable((news) => {
      for (const { port } of this.#ports) {
        try {
          port.postMessage(news);
        } catch (error) {
          surface([error]); // The other ports, and the commit that is being published, go on.
        }
      }
    });
    const rows = positive(options.rows, 256, 65536, 'rows');
    this.#pins = new PinList(this.#blocks, rows);
    this.#server = new RingServer(this.#ring, new OwnerQuestions(space, this.#blocks, this.#pins), (slot) =>
      this.domain.claimOf(slot),
    );
    this.#publisher = new TablePublisher(space, this.#blocks, {
      tables: positive(options.tables, 16, 4096, 'tables'),
      rows,
      early: options.faults?.earlyReclaim === true,
    });
    this.#evictions = new Evictions(
      this.domain,
      this.#server,
      () => this.#publisher.hold(),
      milliseconds(options.stallMs, 30_000, 'stallMs'),
      options.onEvict,
    );
    this.readers = new ServingReaders(
      this.domain,
      () => this.#serveWaiting(),
      () => this.#lookWhileWaiting(),
      () => this.#windUpSoon(),
    );
    this.#stopWaiting = space.core.rcu.waitAlso(this.readers);
    this.#unfollow = space.follow(() => this.#publisher.publish());
    this.#publisher.publish();
  }

  get stats(): SharedSpaceStats {
    const { publications, overflows, freeTables, lostTables } = this.#publisher;
    const { gracePeriods } = this.domain;
    return {
      publications,
      overflows,
      gracePeriods,
      served: this.#server.served,
      freeTables,
      lostTables,
      pinned: this.#pins.count,
    };
  }

  /** A handle for one worker: `new Worker(file, { workerData: shared.handle() })`. Keep it for `release`. @throws {WorkerError} `closed`. */
  handle(): SharedSpaceHandle {
    if (this.#closed) throw new WorkerError('closed', `the shared space "${this.space.name}" is closed`);
    return {
      guestmem: 'shared-space',
      protocol: PROTOCOL,
      name: this.space.name,
      order: this.space.core.targetOrder,
      claim: this.domain.newClaim(),
      rcu: this.domain.buffer,
      tables: this.#publisher.buffer,
      ring: this.#ringBuffer,
      blocks: this.#blocks.all(),
    };
  }

  /**
   * News of added RAM go to `port` from now on; call it before the handle is made. Without it a worker reaches new RAM through
   * the owner. Each registration counts for itself: a port connected twice gets everything twice, until both are disposed of.
   * What `postMessage` throws surfaces as an unhandled rejection.
   */
  connect(port: NewsPort): DisposableHandle {
    const connection = { port };
    this.#ports.add(connection);
    return disposable(() => this.#ports.delete(connection));
  }

  /**
   * Performs what workers wait for, moves grace periods on, looks for workers that are stuck. Never waits. Fine when closed.
   * @returns requests performed. @throws what RCU callbacks and `onEvict` threw, when all is done (AggregateError if several).
   */
  poll(): number {
    const errors: unknown[] = [];
    const count = this.#poll(errors);
    throwCollected(errors);
    return count;
  }

  /**
   * Serves by blocking: for an owner with nothing else to do. A callback that throws does not end it.
   * @throws {RangeError} `timeoutMs` is no time. @throws {RcuError} `cannot-block` on a browser's main thread; and in the end what RCU callbacks and `onEvict` threw.
   */
  serve(options: ServeOptions = {}): void {
    const errors: unknown[] = [];
    try {
      this.#serve(options, errors);
    } catch (error) {
      errors.push(error);
    }
    throwCollected(errors);
  }

  #serve(options: ServeOptions, errors: unknown[]): void {
    const { words } = this.#ring;
    const clock = new SteadyClock(Number.POSITIVE_INFINITY); // Its caller wants the time that is asked for.
    const deadline = clock.now() + milliseconds(options.timeoutMs, Number.POSITIVE_INFINITY, 'timeoutMs');
    while (!this.#closed) {
      const bell = Atomics.load(words, DOORBELL);
      const count = this.#poll(errors);
      if (options.until?.() === true || clock.now() >= deadline) return;
      if (this.#rang(bell, count)) continue;
      Atomics.add(words, SLEEPING, 1);
      try {
        // A pending grace period ends without the doorbell: look again soon.
        waitWord(words, DOORBELL, bell, this.space.core.rcu.pending > 0 ? 1 : SLICE_MS);
      } finally {
        Atomics.sub(words, SLEEPING, 1);
      }
    }
  }

  /**
   * Serves from the event loop until closed. What RCU callbacks and `onEvict` throw does not end it: it surfaces at once as
   * an unhandled rejection, as from the promise job of `callRcu`.
   */
  async serveAsync(): Promise<void> {
    const { words } = this.#ring;
    const errors: unknown[] = [];
    while (!this.#closed) {
      let bell = Atomics.load(words, DOORBELL);
      let count = this.#poll(errors);
      for (let round = 1; round < ROUNDS && this.#rang(bell, count); round++) {
        bell = Atomics.load(words, DOORBELL);
        count = this.#poll(errors);
      }
      surface(errors.splice(0));
      if (Atomics.load(words, DOORBELL) !== bell) {
        await nextTurn(); // There is more, but others have their turn first.
        continue;
      }
      Atomics.add(words, SLEEPING, 1);
      try {
        await waitWordAsync(words, DOORBELL, bell, SLICE_MS);
      } finally {
        Atomics.sub(words, SLEEPING, 1);
      }
    }
  }

  /**
   * Frees what the worker with this handle holds: slot, section, request, pinned views, and what was kept since it was let go.
   * Only when its agent has ended: in a Worker's `exit` event, or after `terminate()`. Also when the space is closed.
   * @returns whether it held anything. @throws what RCU callbacks threw that could run then.
   */
  release(handle: Pick<SharedSpaceHandle, 'claim'>): boolean {
    const errors: unknown[] = [];
    let found = this.#evictions.release(handle.claim);
    for (const slot of this.domain.slotsOf(handle.claim)) {
      this.#server.freeEntriesOf(slot);
      found = this.domain.evict(slot, 'dead') || found;
    }
    this.#pins.release(handle.claim);
    this.#windUp();
    if (found) this.#reclaim(errors);
    throwCollected(errors);
    return found;
  }

  /**
   * Ends sharing: workers get `closed` at their next access that does not find its way as it did before. What they may be using
   * stays theirs: sections and quanta hold up grace periods (until `stallMs`) and pinned views are held, until they have
   * detached or `release` says that they have ended. Looked for at `release`, at `poll`, at commits and while somebody waits. Twice is once.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#publisher.close();
    this.#unfollow();
    this.#windUp();
    Atomics.add(this.#ring.words, DOORBELL, 1);
    Atomics.notify(this.#ring.words, DOORBELL);
  }

  /** Runs what grace periods have made due; not inside an access, which may go on with a view that was replaced (T-97). */
  #reclaim(errors: unknown[]): void {
    const { access, rcu } = this.space.core;
    if (rcu.pending === 0 || this.#server.busy || !access.idle) return;
    try {
      rcu.poll();
    } catch (error) {
      errors.push(error);
    }
  }

  #poll(errors: unknown[]): number {
    const count = this.#serveWaiting();
    this.#reclaim(errors);
    this.#evictions.look(errors);
    this.#windUp();
    return count;
  }

  /** Nobody is served any more once it is closed: who waits gets `closed`. */
  #serveWaiting(): number {
    return this.#closed ? 0 : this.#server.poll();
  }

  #lookWhileWaiting(): void {
    const errors: unknown[] = [];
    this.#evictions.look(errors);
    this.#windUp();
    surface(errors);
  }

  /** Claims of workers that have ended and hold views. */
  get #endedHolders(): number[] {
    return [...this.#pins.claims].filter((claim) => this.domain.slotsOf(claim).length === 0);
  }

  /** Closed: gives back what workers held that have ended since, and waits for readers no longer when there are none. */
  #windUp(): void {
    if (!this.#closed) return;
    for (const claim of this.#endedHolders) this.#pins.release(claim);
    if (this.#stopWaiting === null || this.domain.hasReaders) return;
    this.#stopWaiting();
    this.#stopWaiting = null;
  }

  /** The same where a commit looks whether grace periods have ended: as one of the callbacks, for it changes whom they wait for. */
  #windUpSoon(): void {
    if (!this.#closed || this.#windsUp || this.#stopWaiting === null) return;
    if (this.domain.hasReaders && this.#endedHolders.length === 0) return;
    this.#windsUp = true;
    this.space.core.rcu.callRcu(() => {
      this.#windsUp = false; // Else a worker that came and went in between would keep it.
      this.#windUp();
    });
  }

  /** Has somebody rung since `bell` was read? After serving, looks out for a while: the next request often comes at once. */
  #rang(bell: number, count: number): boolean {
    const { words } = this.#ring;
    if (count === 0) return Atomics.load(words, DOORBELL) !== bell;
    const looks = this.#patience.next();
    let left = looks;
    while (left > 0 && Atomics.load(words, DOORBELL) === bell) left--;
    this.#patience.tell(looks, left > 0);
    return left > 0;
  }
}

/** Tells the host what callbacks threw where nobody else is there to be told. */
function surface(errors: readonly unknown[]): void {
  for (const error of errors) void Promise.reject(error);
}

function positive(value: number | undefined, fallback: number, most: number, what: string): number {
  const chosen = value ?? fallback;
  if (Number.isInteger(chosen) && chosen >= 1 && chosen <= most) return chosen;
  throw badNumber(`${what} must be an integer in 1 to ${most}`, chosen);
}
