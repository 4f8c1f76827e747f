import { describe } from "vitest";
import { describeChannel } from "./flavours.ts";

describe.for([1, 2, 7])("channel(%i): a full buffer holds senders up", (capacity) => describeChannel(capacity));
