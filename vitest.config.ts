// How tests run. Each project is one way to run them; `vitest run --project node` takes one alone.
import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

const chromium = "/usr/bin/chromium";

const everyTest = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "docs/**/*.test.ts"];
const only = (kind: string) => everyTest.map((pattern) => pattern.replace("*.test.ts", `*.${kind}.test.ts`));
const never = ["**/node_modules/**", "**/dist/**"];

// Packages see one another by their sources, so tests need no build.
const bySource = {
  resolve: { conditions: ["@sluice/source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["@sluice/source", ...defaultServerConditions] } },
};

const projects: TestProjectConfiguration[] = [
  {
    ...bySource,
    test: {
      name: "node",
      include: everyTest,
      exclude: [...never, ...only("process"), ...only("leaks")],
      typecheck: {
        enabled: true,
        include: everyTest.map((pattern) => pattern.replace("*.test.ts", "*.test-d.ts")),
        // `npm run check` reports those, once and with their place.
        ignoreSourceErrors: true,
      },
    },
  },
  {
    // Programs in a Node process of their own, on the built packages: exit codes, process lifetime, async context.
    ...bySource,
    test: { name: "process", include: only("process"), exclude: never, testTimeout: 60_000 },
  },
  {
    // What is left on the heap; the garbage collector runs when the test says so.
    ...bySource,
    test: { name: "leaks", include: only("leaks"), exclude: never, pool: "forks", execArgv: ["--expose-gc"] },
  },
];

if (existsSync(chromium)) {
  projects.push({
    ...bySource,
    // Found late, a dependency makes the server reload in the middle of a run.
    optimizeDeps: { include: ["fast-check", "abort-controller-x", "p-limit", "p-queue"] },
    test: {
      name: "chromium",
      include: ["packages/*/test/**/*.test.ts"],
      exclude: [...never, ...only("node"), ...only("process"), ...only("leaks")],
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath: chromium,
            args: [
              "--no-sandbox",
              "--disable-gpu",
              "--disable-quic",
              "--no-first-run",
              "--disable-background-networking",
              "--disable-component-update",
              "--disable-sync",
            ],
          },
        }),
        instances: [{ browser: "chromium" }],
      },
    },
  });
} else if (process.env["REQUIRE_BROWSER"] === "1") {
  throw new Error(`REQUIRE_BROWSER=1, but there is no ${chromium}`);
} else {
  console.warn(`No ${chromium} here: the browser tests are left out (REQUIRE_BROWSER=1 makes that an error).`);
}

export default defineConfig({
  test: {
    projects,
    testTimeout: 5_000,
    coverage: { provider: "v8", include: ["packages/*/src/**/*.ts"], reporter: ["text", "html"] },
  },
});
