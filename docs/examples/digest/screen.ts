/** What people see: a line of progress, numbers, names. */
import type { WriteStream } from "node:tty";
import { bytes } from "./walk.ts";

/** Shows progress: on a terminal in one line, written over each time; elsewhere in a line now and then. */
export class Screen {
  /** How often to show something, in milliseconds. */
  readonly every: number;
  readonly #out: WriteStream;
  readonly #isTerminal: boolean;

  constructor(out: WriteStream) {
    this.#out = out;
    this.#isTerminal = out.isTTY && process.env["TERM"] !== "dumb";
    this.every = this.#isTerminal ? 100 : 1_000;
  }

  show(line: string): void {
    // The last column stays free: some terminals go to the next line after it. Terminals of unknown width say 0.
    const width = (this.#out.columns || 80) - 1;
    this.#out.write(this.#isTerminal ? `\r${line.slice(0, width)}\x1b[K` : `${line}\n`);
  }

  clear(): void {
    if (this.#isTerminal) this.#out.write("\r\x1b[K");
  }
}

/** As in 1,234 or, with decimals, 1,234.5. */
export function number(value: number, decimals = 0): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A name in quotes, without what would move the cursor or change how the rest looks. */
export function quoted(name: string): string {
  return JSON.stringify(name).replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`,
  );
}

/** The same for a path that the walk has found. */
export function quotedPath(path: string): string {
  return quoted(bytes(path).toString());
}

/** "permission denied", of what Node makes "EACCES: permission denied, open '…'". */
export function reason(refusal: Error): string {
  return /^\w+: (.*?), /s.exec(refusal.message)?.[1] ?? refusal.message;
}
