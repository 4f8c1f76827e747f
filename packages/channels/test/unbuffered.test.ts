import { describe } from "vitest";
import { describeChannel } from "./flavours.ts";

describe("channel(): sender and receiver meet", () => describeChannel(0));
