/** Who wants to know which pages were written. A-180. */
import { LogClient } from '../region/log-client.ts';

/** Clients of dirty tracking: those that ask for logging, by the name that reads well where pages are looked at. */
export const DirtyClient: typeof LogClient = LogClient;
/** One of the `DirtyClient` numbers. */
export type DirtyClient = LogClient;

/** Our own fourth client, set along with MIGRATION: what DirtyTracker reads, so that it takes nothing from a migration. */
export const TRACKER = 3;
/** Its bit. */
export const TRACKER_BIT = 8;
/** New memory is dirty for all clients. */
export const ALL_CLIENTS = 0b1111;
