/** What the command is asked to do. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** What prints the same digest, in the directory in question. */
export const coreutils = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum -z | sha256sum";

export const usage = `Usage: npm run demo -- [directory] [--workers N] [--timeout ms]

Digests every file below a directory (default: this repository, its node_modules included).

  --workers N    how many files are read at the same time (default 16)
  --timeout ms   stops after so many milliseconds
  --help         prints this

The digest covers the names and contents of regular files. In that directory, this prints the same:
  ${coreutils}

Exit code: 0 all is covered, 1 something was skipped, 2 wrong arguments or no such directory,
124 stopped by the timeout, 130 by Ctrl-C (SIGINT), 143 by SIGTERM.
`;

export interface Job {
  /** Only usage is asked for. */
  readonly help: boolean;
  readonly directory: string;
  readonly workers: number;
  /** In milliseconds; Infinity if there is none. */
  readonly timeout: number;
}

/** @throws Error with a line for people if the arguments are wrong. */
export function parse(args: readonly string[]): Job {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { workers: { type: "string" }, timeout: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const { help = false, workers = "16", timeout } = values;
  if (!/^[1-9]\d{0,5}$/.test(workers)) {
    throw new Error(`--workers ${workers} is not a positive integer below a million`);
  }
  if (timeout !== undefined && !(/^\d+(\.\d+)?$/.test(timeout) && Number(timeout) > 0)) {
    throw new Error(`--timeout ${timeout} is not a positive number of milliseconds`);
  }
  if (positionals.length > 1) throw new Error(`There is more than one directory: ${positionals.join(" ")}`);

  // npm runs scripts in the repository; paths are meant from where it was called.
  const from = process.env["INIT_CWD"] ?? process.cwd();
  return {
    help,
    directory: resolve(from, positionals[0] ?? repository),
    workers: Number(workers),
    timeout: timeout === undefined ? Infinity : Number(timeout),
  };
}
