/** How far a digest has come: the stages of the pipeline write it, whoever shows it reads it. */
import type { Skipped } from "./walk.ts";

/** How many of the paths that are left out are kept by name. */
const NAMED = 10;

export class Progress {
  /** Files in the digest. */
  files = 0;
  /** Their bytes. */
  bytes = 0;
  /** Bytes read, also those of files that are not finished. */
  read = 0;
  /** Files that are being read. */
  inFlight = 0;
  /** The most that ever were. */
  peak = 0;
  /** Paths that cannot be read and are left out. */
  skipped = 0;
  /** The first of them. */
  readonly firstSkipped: Skipped[] = [];

  begin(): void {
    this.inFlight++;
    this.peak = Math.max(this.peak, this.inFlight);
  }

  end(): void {
    this.inFlight--;
  }

  add(size: number): void {
    this.files++;
    this.bytes += size;
  }

  skip(skipped: Skipped): void {
    this.skipped++;
    if (this.firstSkipped.length < NAMED) this.firstSkipped.push(skipped);
  }
}
