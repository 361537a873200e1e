/** Changelogs in users' words: the text of each changeset, without commit hashes; one line where only lower layers changed. */
module.exports = {
  getReleaseLine: async ({ summary }) => {
    const [first, ...rest] = summary.trim().split('\n');
    return [`- ${first}`, ...rest.map((line) => (line === '' ? '' : `  ${line}`))].join('\n');
  },
  getDependencyReleaseLine: async (_changesets, updated) =>
    updated.length === 0
      ? ''
      : `- With the lower layers at the same version: ${updated.map(({ name }) => name).join(', ')}.`,
};
