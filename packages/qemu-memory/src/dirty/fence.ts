/** Hot. What orders plain accesses to RAM and looks at page states among agents.; checked as a model in tools/rcu-model. */

/** No other agent has it. */
const NOTHING = /* @__PURE__ */ new Int32Array(1);

/**
 * What this agent stored before is seen by others before it reads what comes after. Plain accesses to RAM may be made later or earlier
 * than they are written, also past one atomic operation on some processors; past two on different words none are.
 */
export function fence(): void {
  Atomics.exchange(NOTHING, 0, 0);
}
