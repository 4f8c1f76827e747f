// The pipeline of digest/, stage by stage, in this process.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { background, withCancel, withTimeout, type Context } from "@sluice/context";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "./digest/arguments.ts";
import { digest } from "./digest/digest.ts";
import { CHUNK, hashFile } from "./digest/hash.ts";
import { Progress } from "./digest/progress.ts";
import { type Found, walk } from "./digest/walk.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "digest-"));
  chmodSync(root, 0o755);
});

afterEach(() => rmSync(root, { recursive: true }));

/** Writes files below the root; a path that ends with a slash is an empty directory. */
function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path.endsWith("/") ? path : dirname(path)), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(join(root, path), `this is ${path}`);
  }
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const never = (): void => {};

/** How many files and directories this process has open; 0 where the system does not say. */
function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

/** Runs `job` without the superuser's right to read everything. */
async function unprivileged<R>(job: () => Promise<R>): Promise<R> {
  if (process.geteuid?.() !== 0) return job();
  process.seteuid?.(65_534);
  try {
    return await job();
  } finally {
    process.seteuid?.(0);
  }
}

describe("parse()", () => {
  it("takes a directory and options in any order", () => {
    const job = { help: false, directory: root, workers: 3, timeout: 1.5 };
    expect(parse(["--timeout=1.5", root, "--workers", "3"])).toEqual(job);
    expect(parse([root])).toEqual({ ...job, workers: 16, timeout: Infinity });
  });

  it("takes the repository by default", () => {
    expect(join(parse([]).directory, "docs/examples/digest.test.ts")).toBe(fileURLToPath(import.meta.url));
  });

  it.for([
    ["--workers", "0", "--workers 0 is not a positive integer"],
    ["--workers", "1.5", "--workers 1.5 is not a positive integer"],
    ["--workers=-1", "--workers -1 is not a positive integer"],
    ["--workers", "'--workers <value>' argument missing"],
    ["--timeout", "0", "--timeout 0 is not a positive number"],
    ["--timeout", "soon", "--timeout soon is not a positive number"],
    ["--timeout=Infinity", "--timeout Infinity is not a positive number"],
    ["--depth", "1", "Unknown option '--depth'"],
    ["here", "there", "There is more than one directory: here there"],
  ])("refuses %j", (row) => {
    expect(() => parse(row.slice(0, -1))).toThrow(row.at(-1));
  });
});

describe("walk()", () => {
  async function walked(ctx: Context = background): Promise<Found[]> {
    const all: Found[] = [];
    for await (const found of walk(ctx, `${root}/`)) all.push(found);
    return all;
  }
  const paths = async (): Promise<string[]> => (await walked()).map(({ path }) => path);

  it("yields files in the byte order of their paths, not of the names in each directory", async () => {
    write("a/b", "a0", "a-b", "a.txt", "a/-", "B", "a/b0/c", "aa");
    expect(await paths()).toEqual(["B", "a-b", "a.txt", "a/-", "a/b", "a/b0/c", "a0", "aa"]);
  });

  it("keeps names as bytes, in their order", async () => {
    write("\u{1F600}", "\uFFFD", "é", "z"); // as UTF-16 the first two are the other way round
    const names = (await paths()).map((path) => Buffer.from(path, "latin1").toString());
    expect(names).toEqual(["z", "é", "\uFFFD", "\u{1F600}"]);
  });

  it("follows no symbolic link", async () => {
    write("file", "below/file");
    symlinkSync(root, join(root, "below/up"));
    symlinkSync("file", join(root, "link"));
    symlinkSync("nowhere", join(root, "dangling"));
    expect(await paths()).toEqual(["below/file", "file"]);
  });

  it("yields nothing for an empty directory", async () => {
    write("empty/of/files/");
    expect(await paths()).toEqual([]);
  });

  it("leaves out a directory that cannot be listed, and goes on", async () => {
    write("a", "closed/file", "z");
    chmodSync(join(root, "closed"), 0);
    const found = await unprivileged(() => walked());
    chmodSync(join(root, "closed"), 0o755);
    expect(found).toEqual([{ path: "a" }, { path: "closed/", problem: expect.any(Error) }, { path: "z" }]);
    expect(found[1]?.problem).toMatchObject({ code: "EACCES" });
  });

  it("throws if the root itself cannot be listed", async () => {
    write("file");
    await expect(walk(background, `${root}/none/`).next()).rejects.toMatchObject({ code: "ENOENT" });
    await expect(walk(background, `${root}/file/`).next()).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it("looks at its context for each directory, though it holds no files", async () => {
    write("a/", "b/", "c/");
    let looks = 0;
    const throwIfDone = (): void => {
      // Once for the root and for each name in it, then in front of a/.
      if (++looks === 5) throw new Error("enough");
    };
    const ctx: Context = Object.assign(Object.create(background), { throwIfDone });
    await expect(walked(ctx)).rejects.toThrow("enough");
  });
});

describe("hashFile()", () => {
  it.for([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])("reads %i bytes to the end", async (size) => {
    const data = Buffer.alloc(size, "0123456789");
    const path = join(root, "file");
    writeFileSync(path, data);
    let read = 0;
    expect(await hashFile(background, path, (bytes) => (read += bytes))).toEqual({ sha256: sha256(data), size });
    expect(read).toBe(size);
  });

  it("refuses what has become a symbolic link", async () => {
    write("file");
    symlinkSync("file", join(root, "link"));
    await expect(hashFile(background, join(root, "link"), never)).rejects.toMatchObject({ code: "ELOOP" });
  });

  it("does not wait for the writer of what has become a FIFO", async () => {
    execFileSync("sh", ["-c", "mkfifo fifo"], { cwd: root });
    expect((await hashFile(background, join(root, "fifo"), never)).size).toBe(0);
  });

  it("stops at the next read, and closes the file", async () => {
    const path = join(root, "large");
    writeFileSync(path, "");
    truncateSync(path, 8 * 2 ** 30);
    const before = openFiles();
    const ctx = withCancel(background);
    let reads = 0;
    const stopped = hashFile(ctx, path, () => {
      if (++reads === 2) ctx.cancel("enough");
    });
    await expect(stopped).rejects.toBe("enough");
    expect(reads).toBe(2);
    expect(openFiles()).toBe(before);
  });

  it("closes the file when a read fails", async () => {
    const before = openFiles();
    await expect(hashFile(background, root, never)).rejects.toMatchObject({ code: "EISDIR" });
    expect(openFiles()).toBe(before);
  });
});

describe("digest()", () => {
  const run = (ctx: Context, progress: Progress, options: { workers?: number; report?: () => void } = {}) =>
    digest(ctx, root, { workers: 4, report: never, every: 1, progress, ...options });

  it("is that of a line per file, in the byte order of the paths", async () => {
    write("a/b", "a-b", "new\nline");
    const line = (path: string): string => `${sha256(`this is ${path}`)}  ./${path}\0`;
    const progress = new Progress();
    expect(await run(background, progress)).toBe(sha256(line("a-b") + line("a/b") + line("new\nline")));
    expect(progress).toMatchObject({ files: 3, bytes: 11 + 11 + 16, read: 38, inFlight: 0, skipped: 0 });
  });

  it("is that of nothing for an empty directory", async () => {
    expect(await run(background, new Progress())).toBe(sha256(""));
  });

  it("does not depend on the number of workers, and never has more files open", async () => {
    write(...Array.from({ length: 40 }, (_, i) => `${i % 3}/${i}`));
    truncateSync(join(root, "0/0"), 2 ** 20); // the first is done when others are
    const digests = new Set<string>();
    for (const workers of [1, 3, 100]) {
      const progress = new Progress();
      digests.add(await run(background, progress, { workers }));
      expect(progress.files).toBe(40);
      expect(progress.peak).toBeGreaterThan(0);
      expect(progress.peak).toBeLessThanOrEqual(workers);
    }
    expect(digests.size).toBe(1);
  });

  it("leaves out and counts a file that has vanished since it was found", async () => {
    write("a", "b", "c");
    const progress = new Progress();
    // All three are found at once; the last is gone when the first has been read.
    const get = (): number => 0;
    const set = (): void => rmSync(join(root, "c"), { force: true });
    Object.defineProperty(progress, "read", { get, set });
    await run(background, progress, { workers: 1 });
    expect(progress).toMatchObject({ files: 2, skipped: 1, inFlight: 0 });
    expect(progress.firstSkipped).toEqual([{ path: "c", problem: expect.objectContaining({ code: "ENOENT" }) }]);
  });

  it("names no more than ten of the paths that it leaves out", async () => {
    write(...Array.from({ length: 12 }, (_, i) => `closed${i}`));
    for (let i = 0; i < 12; i++) chmodSync(join(root, `closed${i}`), 0);
    const progress = new Progress();
    await unprivileged(() => run(background, progress));
    expect(progress).toMatchObject({ files: 0, skipped: 12 });
    expect(progress.firstSkipped).toHaveLength(10);
  });

  it("reports while it runs, and stops with its context, leaving nothing open", async () => {
    write("small");
    writeFileSync(join(root, "large"), "");
    truncateSync(join(root, "large"), 8 * 2 ** 30);
    const before = openFiles();
    const ctx = withCancel(background);
    const progress = new Progress();
    let reports = 0;
    const report = (): void => {
      if (++reports === 2) ctx.cancel("enough");
    };
    await expect(run(ctx, progress, { report })).rejects.toBe("enough");
    expect(progress.inFlight).toBe(0);
    expect(openFiles()).toBe(before);
  });

  it("does not begin under a context whose deadline has passed", async () => {
    write("file");
    const ctx = withTimeout(background, 0);
    const progress = new Progress();
    await expect(run(ctx, progress)).rejects.toBe(ctx.cause);
    expect(progress.read).toBe(0);
  });

  it("fails with what the file system says of the directory itself", async () => {
    rmSync(root, { recursive: true });
    await expect(run(background, new Progress())).rejects.toMatchObject({ code: "ENOENT" });
    mkdirSync(root);
  });
});
