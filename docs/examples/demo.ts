// Digests every file below a directory: `npm run demo -- --help`. What does the work is digest/digest.ts.
import { background, withTimeout } from "@sluice/context";
import { type Job, parse, usage } from "./digest/arguments.ts";
import { digest } from "./digest/digest.ts";
import { Progress } from "./digest/progress.ts";
import { number, quoted, quotedPath, reason, Screen } from "./digest/screen.ts";
import { isRefusal } from "./digest/walk.ts";

/** Why it was stopped, and the exit code that says so. */
class Stop extends Error {
  readonly exitCode: number;

  constructor(why: string, exitCode: number) {
    super(why);
    this.exitCode = exitCode;
  }
}

/** Gives the exit code. By then nothing is open or waits, so the process ends by itself. */
async function main(): Promise<number> {
  let job: Job;
  try {
    job = parse(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message.split(/\.\s/)[0]}. See --help`);
    return 2;
  }
  if (!job.help) return run(job);
  process.stdout.write(usage);
  return 0;
}

async function run({ directory, workers, timeout }: Job): Promise<number> {
  using ctx = withTimeout(background, timeout, { cause: new Stop(`by the timeout of ${timeout} ms`, 124) });
  process.on("SIGINT", () => ctx.cancel(new Stop("by SIGINT", 130)));
  process.on("SIGTERM", () => ctx.cancel(new Stop("by SIGTERM", 143)));
  process.stdout.on("error", () => ctx.cancel(new Stop("because nobody reads the output", 141)));

  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  const progress = new Progress();
  const soFar = (): string => `${number(progress.files)} files, ${number(progress.read / 1e6, 1)} MB`;
  const rate = (): string => number(progress.read / 1e6 / seconds(), 1);
  const screen = new Screen(process.stdout);
  const report = (): void => screen.show(`${soFar()}, ${progress.inFlight} in flight, ${rate()} MB/s`);

  try {
    const sha256 = await digest(ctx, directory, { workers, progress, report, every: screen.every });
    screen.clear();
    console.log(`directory  ${quoted(directory)}
files      ${number(progress.files)}
bytes      ${number(progress.bytes)}
seconds    ${number(seconds(), 2)}
MB/s       ${rate()}
in flight  ${progress.peak} at most, of ${workers} allowed
sha256     ${sha256}`);
    return reportSkipped(progress);
  } catch (error) {
    screen.clear();
    if (error instanceof Stop) {
      console.error(`Stopped ${error.message} after ${soFar()}, ${number(seconds(), 2)} s`);
      return error.exitCode;
    }
    if (!isRefusal(error)) throw error;
    console.error(`Cannot read ${quoted(directory)}: ${reason(error)}`);
    return 2;
  }
}

function reportSkipped({ skipped, firstSkipped }: Progress): number {
  if (skipped === 0) return 0;
  console.error(`Skipped, and not in the digest: ${number(skipped)}`);
  for (const { path, problem } of firstSkipped) console.error(`  ${quotedPath(path)}: ${reason(problem)}`);
  if (skipped > firstSkipped.length) console.error(`  and ${number(skipped - firstSkipped.length)} more`);
  return 1;
}

process.exitCode = await main();
