import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// Unit tests of the shared packages and apps. The journeys in tests/e2e have their own runner.
export default defineConfig({
  plugins: [vue()],
  test: {
    include: ["web/**/*.test.ts", "booth-client/apps/**/*.test.ts", "agent-console/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    passWithNoTests: true,
    testTimeout: 10_000,
    maxWorkers: 2,
  },
});
