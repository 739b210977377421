import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "happy-dom",
    setupFiles: ["vitest.setup.ts"],
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
    testTimeout: 20_000, // axe takes its time where every core is busy
  },
});
