/** Second stage: the digest of one file, by reads of a fixed size. */
import { createHash } from "node:crypto";
import { constants, open } from "node:fs/promises";
import type { Context } from "@sluice/context";
import { bytes } from "./walk.ts";

/** How much is read at a time, and at most between two looks at the context. */
export const CHUNK = 128 * 1024;

/** What has become a symbolic link since it was found is refused; what has become a FIFO keeps nobody waiting. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Buffers that are free: no more than there ever were files open at the same time. */
const buffers: Buffer[] = [];

/**
 * The SHA-256 of a file in hex, and its size. `onRead` hears of every read.
 *
 * However this ends, the file is closed by then.
 *
 * @throws what the file system says; the cause of `ctx`, before the next read, once that is done.
 */
export async function hashFile(
  ctx: Context,
  path: string,
  onRead: (bytes: number) => void,
): Promise<{ sha256: string; size: number }> {
  const file = await open(bytes(path), FLAGS);
  const buffer = buffers.pop() ?? Buffer.allocUnsafe(CHUNK);
  try {
    const hash = createHash("sha256");
    let size = 0;
    for (;;) {
      ctx.throwIfDone();
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) return { sha256: hash.digest("hex"), size };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
      onRead(bytesRead);
    }
  } finally {
    buffers.push(buffer);
    await file.close();
  }
}
