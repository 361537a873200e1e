/** Access modes. V-1.8. */

/** A set of two bits. */
export const Permissions = { NO: 0, READ: 1, WRITE: 2, READ_WRITE: 3 } as const;
export type Permissions = (typeof Permissions)[keyof typeof Permissions];

/** Does `granted` allow all of `wanted`? NO is always allowed. */
export function permissionsAllow(granted: Permissions, wanted: Permissions): boolean {
  return (granted & wanted) === wanted;
}

/** What both allow. */
export function permissionsAnd(a: Permissions, b: Permissions): Permissions {
  return (a & b) as Permissions;
}

/** What either allows. */
export function permissionsOr(a: Permissions, b: Permissions): Permissions {
  return (a | b) as Permissions;
}

/** Is writing among them? */
export function permissionsHaveWrite(granted: Permissions): boolean {
  return (granted & Permissions.WRITE) !== 0;
}
