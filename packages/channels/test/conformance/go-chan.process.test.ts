// Go programs of test/chan end by leaving main, whatever their goroutines wait for. So does a program here: nothing
// that is parked at a channel keeps a process alive, and none of it is an error at the end.
import { describe, expect, it } from "vitest";
import { run } from "../../../../test/process.ts";

const flags = ["--unhandled-rejections=strict", "--trace-warnings"];

/** How a program ended that left its tasks parked: by itself, in good order, having printed `stdout`. */
async function ending(program: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await run(program, { from: "channels", flags });
  return { code, stdout, stderr };
}

const imports = `import { channel, never, select, sending } from "@sluice/channels";`;

describe("P-008 powser1: demand channel", () => {
  it("lets the process end with producers parked for ever", async () => {
    const program = `${imports}
      const rep = (term) => {
        const [req, dat] = [channel(), channel()];
        (async () => {
          for (;;) {
            await req.receive();
            await dat.send(term);
          }
        })();
        return { req, dat };
      };
      const get = async ({ req, dat }) => {
        await req.send();
        return (await dat.receive()).value;
      };
      const [ones, twos] = [rep(1), rep(2)];
      const terms = [];
      for (let n = 0; n < 5; n++) terms.push(await get(ones), await get(twos));
      console.log(terms.join(" "));
    `;
    expect(await ending(program)).toEqual({ code: 0, stdout: "1 2 1 2 1 2 1 2 1 2\n", stderr: "" });
  });
});

describe("P-020 select3: nil send and receive", () => {
  it.for([
    ["a receive from never", "never.receive()"],
    ["a receive", "channel().receive()"],
    ["a send", "channel().send(1)"],
    ["a select without cases", "select({})"],
    ["a select whose cases are off", "select({ receive: never, send: false })"],
    ["a select with itself", "((ch) => select({ sent: sending(ch, 1), got: ch }))(channel())"],
    ["a select on a quiet signal", "select({ stop: new AbortController().signal, ch: channel() })"],
    ["a wait under a quiet signal", "channel().receive({ signal: new AbortController().signal })"],
  ] as const)("stays pending without keeping the process alive: %s", async ([, expression]) => {
    const program = `${imports}
      const wait = ${expression};
      wait.finally(() => console.log("settled"));
      process.on("exit", () => console.log("left"));
    `;
    expect(await ending(program)).toEqual({ code: 0, stdout: "left\n", stderr: "" });
  });

  it("ends with 13, the code of Node for a deadlock, when main itself waits", async () => {
    const { code, stdout } = await run(`${imports} await never.receive(); console.log("went on");`, {
      from: "channels",
      flags,
    });
    expect({ code, stdout }).toEqual({ code: 13, stdout: "" });
  });
});

describe("P-042 sieve1", () => {
  it("lets the process end with the whole sieve parked", async () => {
    const program = `${imports}
      const generate = async (to) => {
        for (let n = 2; ; n++) await to.send(n);
      };
      const filter = async (from, to, prime) => {
        for await (const n of from) if (n % prime !== 0) await to.send(n);
      };
      const primes = channel();
      (async () => {
        let current = channel();
        generate(current);
        for (;;) {
          const { value: prime } = await current.receive();
          await primes.send(prime);
          const next = channel();
          filter(current, next, prime);
          current = next;
        }
      })();
      const taken = [];
      for (let n = 0; n < 25; n++) taken.push((await primes.receive()).value);
      console.log(taken.join(" "));
    `;
    const primes = "2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97\n";
    expect(await ending(program)).toEqual({ code: 0, stdout: primes, stderr: "" });
  });
});
