/**
 * First stage: what there is to read.
 *
 * File names are bytes, not text. So a path is kept as a *binary string*, one character per byte (Node's "latin1"): there
 * is no name that it cannot hold, and to compare strings is to compare bytes.
 */
import { opendir } from "node:fs/promises";
import type { Context } from "@sluice/context";

/** A path that is left out, and why. */
export interface Skipped {
  readonly path: string;
  readonly problem: Error;
}

/** A regular file; or a directory that cannot be listed, and so is left out. */
export type Found = { readonly path: string; readonly problem?: undefined } | Skipped;

/**
 * Yields the regular files below `root` in the byte order of their paths, which are relative to it. Symbolic links are not
 * followed; FIFOs, sockets and devices are passed over.
 *
 * Keeps only the names in the directories on its way.
 *
 * @param root - Ends with a slash.
 * @throws what the file system says, if `root` itself cannot be listed; the cause of `ctx` once that is done.
 */
export async function* walk(ctx: Context, root: string, parent = ""): AsyncGenerator<Found, void> {
  for (const name of await list(ctx, root + parent)) {
    const path = parent + name;
    if (!name.endsWith("/")) {
      yield { path };
      continue;
    }
    try {
      yield* walk(ctx, root, path);
    } catch (error) {
      yield skipped(path, error);
    }
  }
}

/**
 * The names in a directory, sorted. Those of directories end with a slash, as they do within a path: so `a-b` comes before
 * all that is in `a/`, and `a0` after it.
 */
async function list(ctx: Context, directory: string): Promise<string[]> {
  ctx.throwIfDone();
  const names: string[] = [];
  for await (const entry of await opendir(bytes(directory), IN_BYTES)) {
    ctx.throwIfDone();
    const name = Buffer.from(entry.name).toString("latin1");
    if (entry.isFile()) names.push(name);
    else if (entry.isDirectory()) names.push(`${name}/`);
  }
  return names.sort();
}

/** Gives names as buffers, which the type does not know, and many at a time. */
const IN_BYTES = { encoding: "buffer" as BufferEncoding, bufferSize: 1024 };

/** A path in the form for the file system. */
export function bytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** What the file system refuses is left out. All else is thrown on: a cancellation, a mistake of ours. */
export function skipped(path: string, error: unknown): Skipped {
  if (isRefusal(error)) return { path, problem: error };
  throw error;
}

/** Whether `error` comes from the operating system. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error;
}
