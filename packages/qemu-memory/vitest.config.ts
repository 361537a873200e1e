import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    passWithNoTests: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A core refers to all there is: printing two of them that differ took minutes, and looked like a hang.
    diff: { maxDepth: 4, truncateThreshold: 300 },
  },
});
