/** Rules of topology that no test title cites, each with the reason. test/topology/rules.test.ts keeps the list complete. */
export const NOT_OBSERVED: Readonly<Record<number, string>> = {
  260: 'how the rules were checked against 278 machines: test/mtree replays a sample of such captures, and npm run oracle all',
  305: 'times of a real QEMU: bench/topology measures them beside ours',
  309: 'how many views QEMU renders while a machine starts; here nothing that does not change is rendered',
  310: 'history and complaints of users',
  320: 'the summary of the differences: each is tested under its own number',
};
