/** What guests did that nothing answers, in lines for the person at the keyboard. */

/** Most lines that one report has. */
const MAX_LINES = 20;

/** One line for each event with its count, the most frequent first; the last one says how many more there are. */
export function eventReport(entries: Iterable<readonly [event: string, count: number]>): string[] {
  const lines = [...entries]
    .sort((a, b) => b[1] - a[1])
    .map(([event, count]) => `guestmem: ${event}: ${count} time${count === 1 ? '' : 's'}`);
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES - 1), `guestmem: and ${lines.length - MAX_LINES + 1} more kinds of events`];
}
