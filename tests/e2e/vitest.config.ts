import { defineConfig } from 'vitest/config'

// Whole journeys against the real server and Chromium: one file at a time, two cores are few.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['src/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    retry: 0,
  },
})
