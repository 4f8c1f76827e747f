/** The one error class of this package. */

/**
 * A send met a closed channel: where Go panics with "send on closed channel", the send rejects with this.
 *
 * `cause` is what the channel was closed with, if anything. The message holds the channel's name, never a value.
 * Across two copies of the package, tell it by `code`.
 *
 * @example
 * ```ts
 * import { channel, ChannelClosedError } from "@sluice/channels";
 *
 * const jobs = channel<number>({ name: "jobs" });
 * jobs.close();
 * try {
 *   await jobs.send(1);
 * } catch (error) {
 *   if (error instanceof ChannelClosedError) console.log(error.code, error.message);
 * }
 *
 * // Output:
 * // ERR_CHANNEL_CLOSED Cannot send: send on closed channel "jobs"
 * ```
 */
export class ChannelClosedError extends Error {
  override readonly name: "ChannelClosedError" = "ChannelClosedError";
  readonly code: "ERR_CHANNEL_CLOSED" = "ERR_CHANNEL_CLOSED";

  /** @param channelName - The name of the channel, quoted in the message. */
  constructor(channelName?: string, options?: { cause?: unknown }) {
    super(
      `Cannot send: send on closed channel${channelName === undefined ? "" : ` ${JSON.stringify(channelName)}`}`,
      options,
    );
  }
}
