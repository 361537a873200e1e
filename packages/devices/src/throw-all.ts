/** Throws what callbacks threw after all had been called: one as it is, several together. @param what they are, in the plural. */
export function throwAll(errors: readonly unknown[], what: string): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new AggregateError(errors, `${errors.length} ${what} failed`);
}
