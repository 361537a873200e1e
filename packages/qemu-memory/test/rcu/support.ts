/** What the RCU suite runs over: the domain of one agent, alone and with shared memory. */
import type { Rcu } from '../../src/rcu/rcu.ts';

export interface RcuMode {
  readonly name: string;
  make(): Rcu;
}
