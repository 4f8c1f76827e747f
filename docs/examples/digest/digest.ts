/**
 * One digest for all files below a directory: a pipeline of three tasks that run at the same time, joined by channels.
 *
 *     walk ──► found ──► hash, hash, … hash ──► hashed ──► combine
 *
 * A full channel holds up the stage before it. So the walk is never far ahead of the hashing, and memory does not grow with
 * the number of files. The first failure stops all three, as does the end of `ctx`, and `group` leaves when all have ended.
 *
 * Semantics: "Go Concurrency Patterns: Pipelines and cancellation" in the Go blog, bounded parallelism.
 */
import { createHash } from "node:crypto";
import { channel, select, tick } from "@sluice/channels";
import type { Context } from "@sluice/context";
import { group, map } from "@sluice/errgroup";
import { hashFile } from "./hash.ts";
import type { Progress } from "./progress.ts";
import { type Found, type Skipped, skipped, walk } from "./walk.ts";

interface Hashed {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

export interface DigestOptions {
  /** How many files are read at the same time. */
  readonly workers: number;
  /** Kept up to date. */
  readonly progress: Progress;
  /** Called every `every` milliseconds. */
  readonly report: () => void;
  readonly every: number;
}

/**
 * The SHA-256, in hex, of a line per file in the byte order of the paths: its own SHA-256, two spaces, `./path`, NUL.
 *
 * @throws what the file system says, if `directory` itself cannot be read; the cause of `ctx` once that is done.
 */
export function digest(ctx: Context, directory: string, options: DigestOptions): Promise<string> {
  const { workers, progress, report, every } = options;
  const root = Buffer.from(`${directory}/`).toString("latin1");

  async function hash({ path, problem }: Found, ctx: Context): Promise<Hashed | Skipped> {
    if (problem !== undefined) return { path, problem };
    progress.begin();
    try {
      return { path, ...(await hashFile(ctx, root + path, (bytes) => (progress.read += bytes))) };
    } catch (error) {
      return skipped(path, error);
    } finally {
      progress.end();
    }
  }

  return group(ctx, async (g) => {
    const found = channel<Found>(workers);
    await g.go(async (ctx) => {
      for await (const file of walk(ctx, root)) await found.send(file, ctx);
      found.close();
    });

    const hashed = channel<Hashed | Skipped>();
    await g.go(async (ctx) => {
      for await (const result of map(ctx, found, hash, { limit: workers })) await hashed.send(result, ctx);
      hashed.close();
    });

    const combined = createHash("sha256");
    const beat = tick(every);
    for (;;) {
      const picked = await select({ hashed, beat }, g.context);
      if (picked.case === "beat") {
        report();
      } else if (picked.done) {
        return combined.digest("hex");
      } else if ("problem" in picked.value) {
        progress.skip(picked.value);
      } else {
        const { path, sha256, size } = picked.value;
        combined.update(`${sha256}  ./${path}\0`, "latin1");
        progress.add(size);
      }
    }
  });
}
