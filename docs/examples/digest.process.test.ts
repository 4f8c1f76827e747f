// The command in a process of its own, on the built packages: what it prints and how it ends.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { coreutils } from "./digest/arguments.ts";

const demo = fileURLToPath(new URL("demo.ts", import.meta.url));
const repository = fileURLToPath(new URL("../../", import.meta.url));
const node = ["--import", "tsx", demo];

const isRoot = process.getuid?.() === 0;
/** Somebody who may not read everything. */
const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {};
const nobodyCanRun = spawnSync(process.execPath, [...node, "--help"], { ...nobody, cwd: repository }).status === 0;
const hasCoreutils = spawnSync("sh", ["-c", `: | sort -z && : | xargs -0r sha256sum -z`]).status === 0;
const hasTerminal = spawnSync("sh", ["-c", "script -qec true /dev/null"]).status === 0;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the signal to the end, in milliseconds. */
  readonly ms: number;
}

interface Options {
  /** Sent with the first line of progress. */
  readonly signal?: NodeJS.Signals;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

function run(args: readonly string[], { signal, env, ...user }: Options = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...node, ...args], {
      cwd: repository, // where `tsx` is found
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
      killSignal: "SIGKILL",
      ...user,
    });
    let stdout = "";
    let stderr = "";
    let signalled = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (signal === undefined || signalled > 0) return;
      signalled = performance.now();
      child.kill(signal);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr, ms: performance.now() - signalled }));
  });
}

/** The digest in what was printed. */
const sha256 = (text: string): string | undefined => /^(?:sha256 +)?([0-9a-f]{64})\b/m.exec(text)?.[1];

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "demo-"));
  chmodSync(root, 0o755);
});

afterEach(() => rmSync(root, { recursive: true }));

function write(path: string | Buffer): void {
  const whole = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)]);
  mkdirSync(Buffer.from(dirname(whole.toString("latin1")), "latin1"), { recursive: true });
  writeFileSync(whole, Buffer.concat([Buffer.from("this is "), Buffer.from(path)]));
}

/** A file that takes long to read. */
function writeLarge(): void {
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), 32 * 2 ** 30);
}

describe("the digest", () => {
  const printed = (): string | undefined =>
    sha256(execFileSync("sh", ["-c", coreutils], { cwd: root, encoding: "utf8" }));

  it.skipIf(!hasCoreutils)("is that of coreutils, whatever the names are", async () => {
    const text = [
      "a-b",
      "a/b",
      "a0",
      "a!/z",
      "new\nline",
      "d\n/e\n",
      "back\\slash",
      "cr\rx",
      "\x1b[31mred",
      "'\"",
      "*",
      "$HOME",
    ];
    const more = ["-rf", " a ", ".hidden/.x", "é", "\u{1F600}/x", "\uFFFD", "\\", "x".repeat(255)];
    for (const path of [...text, ...more, Buffer.from([0xff, 0xfe]), Buffer.from([0x61, 0xff])]) write(path);
    writeFileSync(join(root, "empty"), "");
    mkdirSync(join(root, "empty-directory"));
    symlinkSync("..", join(root, "up"));
    symlinkSync("a-b", join(root, "link"));
    symlinkSync("nowhere", join(root, "dangling"));
    execFileSync("sh", ["-c", "mkfifo fifo"], { cwd: root }); // would hold up for ever who opens it
    const { code, stdout, stderr } = await run([root]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^files +23$/m);
    expect(sha256(stdout)).toBe(printed());
  });

  it.skipIf(!hasCoreutils)("is that of coreutils for an empty directory", async () => {
    const { code, stdout } = await run([root]);
    expect(code).toBe(0);
    expect(sha256(stdout)).toBe(printed());
  });

  it("is documented with the line for coreutils that is tested", async () => {
    expect(readFileSync(new URL("digest.md", import.meta.url), "utf8")).toContain(coreutils);
    expect((await run(["--help"])).stdout).toContain(coreutils);
  });

  it("is that of the directory named from where npm was called", async () => {
    write("below/file");
    const [named, whole] = [await run(["below"], { env: { INIT_CWD: root } }), await run([join(root, "below")])];
    expect(sha256(named.stdout)).toBeDefined();
    expect(sha256(named.stdout)).toBe(sha256(whole.stdout));
  });
});

describe("the command", () => {
  it("prints its usage", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: npm run demo/);
  });

  it("refuses wrong arguments in a line", async () => {
    const stderr = "--workers 1.5 is not a positive integer below a million. See --help\n";
    expect(await run(["--workers", "1.5"])).toMatchObject({ code: 2, stdout: "", stderr });
  });

  it("says in a line that there is no such directory", async () => {
    write("file");
    const [missing, file] = await Promise.all([run([join(root, "none")]), run([join(root, "file")])]);
    expect(missing).toMatchObject({ code: 2, stderr: `Cannot read "${root}/none": no such file or directory\n` });
    expect(file).toMatchObject({ code: 2, stderr: `Cannot read "${root}/file": not a directory\n` });
  });

  it.skipIf(!nobodyCanRun)("finishes without what it may not read, names it, and exits with 1", async () => {
    for (const path of ["a", "closed\x1b[31m", "directory/file"]) write(path);
    chmodSync(join(root, "closed\x1b[31m"), 0);
    chmodSync(join(root, "directory"), 0);
    const { code, stdout, stderr } = await run([root], nobody);
    chmodSync(join(root, "directory"), 0o755);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^files +1$/m);
    expect(stderr).toBe(
      'Skipped, and not in the digest: 2\n  "closed\\u001b[31m": permission denied\n  "directory/": permission denied\n',
    );
  });

  // A machine that is busy with other things may be late: then it is tried again.
  it.for([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("stops on %s within 100 ms, in a line", { retry: 5 }, async ([signal, code]) => {
    writeLarge();
    const ended = await run([root], { signal });
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(new RegExp(`^Stopped by ${signal} after 0 files, [\\d,.]+ MB, [\\d.]+ s\\n$`));
    expect(ended.ms).toBeLessThan(100);
  });

  it("stops at its deadline, in a line", async () => {
    writeLarge();
    const { code, stderr } = await run([root, "--timeout", "50"]);
    expect(code).toBe(124);
    expect(stderr).toMatch(/^Stopped by the timeout of 50 ms after 0 files, [\d,.]+ MB, [\d.]+ s\n$/);
  });

  it("stops when nobody reads what it prints", async () => {
    writeLarge();
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", `("$@"; echo $? >&2) | head -n 1`, "sh", process.execPath, ...node, root],
      {
        cwd: repository,
        encoding: "utf8",
      },
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/^Stopped because nobody reads the output after .*\n141\n$/);
  });

  it.skipIf(!hasTerminal)("writes its progress over one line of a terminal, however narrow", () => {
    writeLarge();
    const command = `stty cols 20; '${process.execPath}' --import tsx '${demo}' '${root}' --timeout 500`;
    const { status, stdout } = spawnSync("sh", ["-c", 'script -qec "$0" /dev/null', command], {
      cwd: repository,
      encoding: "utf8",
      env: { ...process.env, TERM: "xterm" },
    });
    expect(status).toBe(124);
    const [last, ...lines] = stdout
      .split("\r")
      .filter((line) => line !== "" && line !== "\n")
      .reverse();
    expect(last).toContain("\x1b[KStopped by the timeout");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(line).toMatch(/^0 files, /);
      expect(line.length).toBeLessThanOrEqual(19 + "\x1b[K".length);
    }
  });
});
