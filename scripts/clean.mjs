// Deletes what the build writes: tsc leaves the outputs of deleted sources behind, and they would be published.
import { readdirSync, rmSync } from "node:fs";

const packages = new URL("../packages/", import.meta.url);
for (const name of readdirSync(packages)) {
  rmSync(new URL(`${name}/dist/`, packages), { recursive: true, force: true });
}
