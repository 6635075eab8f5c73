/** What a job is given to read arrives byte for byte, once, and holds nobody up. */
import assert from "node:assert/strict";
import { startJob } from "../../src/transport/job/job_start.ts";
import type { JobSpec } from "../../src/transport/job/job.ts";
import { JobInput } from "../../src/transport/job/job_input.ts";
import { JobLink } from "../../src/transport/job/job_link.ts";
import {
  type ContractNode,
  type ContractOptions,
  followAll,
  jobSpec,
  waitFor,
} from "./job_contract.ts";

export function describeInput(name: string, { open, test }: ContractOptions): void {
  const check = (what: string, run: (node: ContractNode) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      await using node = await open();
      await run(node);
    });

  check("what a command is given to read arrives byte for byte", async (node) => {
    // Every byte value, in pieces that end anywhere, more than may wait on the node at a time.
    const parts = [1, 0, 70_001, 3, 2 ** 20, 12_345].map((size, at) =>
      Uint8Array.from({ length: size }, (_, index) => (index * 7 + at) % 256)
    );
    const { stdout } = await feedAll(node, parts, { command: "wc -c; wc -c" });
    assert.deepEqual(stdout.trim().split(/\s+/), [String(total(parts)), "0"]);
    const small = parts.filter((part) => part.length < 70_000);
    const echoed = await feedAll(node, small, { command: "cat" });
    assert.equal(echoed.stdout, small.map(characters).join(""));
  });

  check("a job whose input is empty, and one that wants none, end by themselves", async (node) => {
    const nothing = await feedAll(node, [], { command: "wc -c; echo end" });
    assert.deepEqual(nothing.stdout.trim().split(/\s+/), ["0", "end"]);
    const spec = { command: "read -r line; echo $line; exit 3" };
    const { exit, stdout } = await feed(node, endless(), spec);
    assert.deepEqual([exit, stdout], [{ kind: "code", code: 3 }, "more\n"]);
  });

  check("the first line is there before there is a second", async (node) => {
    const asked = Promise.withResolvers<void>();
    const source = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode("one\n"));
        await asked.promise;
        controller.enqueue(new TextEncoder().encode("two\n"));
        controller.close();
      },
    });
    const heard = (stdout: string) => stdout.includes("got one") && asked.resolve();
    const { stdout } = await feed(node, source, {
      command: 'while read -r line; do echo "got $line"; done',
    }, heard);
    assert.equal(stdout, "got one\ngot two\n");
  });

  check("what a command does not read waits outside, all but a little", async (node) => {
    let pulled = 0;
    const piece = new Uint8Array(64 * 1024);
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += piece.length;
        controller.enqueue(piece);
      },
    }, { highWaterMark: 0 });
    const spec = jobSpec(node, {
      command: "while [ ! -e go ]; do sleep 0.05; done",
      hasInput: true,
    });
    const job = await startJob(node.transport, spec);
    const over = new AbortController();
    const link = new JobLink(node.transport, spec);
    const feeding = new JobInput({ stream: source }).feed(link, over.signal).catch(() => {});
    let before = -1;
    await waitFor(async () => {
      const stands = pulled > 0 && pulled === before;
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 150));
      return stands;
    });
    assert.ok(pulled <= 24 * 2 ** 20, `${pulled} bytes were read`);
    await node.transport.exec(`: >${node.root}/go`);
    assert.deepEqual((await followAll(job)).exit, { kind: "code", code: 0 });
    over.abort();
    await feeding;
    await job.remove();
    const left = await node.transport.exec(`ls -A ${node.root}/.grid/jobs`);
    assert.deepEqual(left.stdout.split("\n").filter((file) => file.includes(spec.id)), []);
  });

  check("a job with secrets reads as well", async (node) => {
    const part = new TextEncoder().encode("known: hunter2-and-more\n");
    const { stdout } = await feedAll(node, [part], {
      command: "cat",
      secrets: { TOKEN: "hunter2-and-more" },
    });
    assert.equal(stdout, "known: ***\n");
  });

  check("a job that is ended while it reads leaves nobody behind", async (node) => {
    const spec = jobSpec(node, { command: "cat >/dev/null", hasInput: true });
    const job = await startJob(node.transport, spec);
    const over = new AbortController();
    const input = new JobInput({ stream: silent() });
    const feeding = input.feed(new JobLink(node.transport, spec), over.signal).catch(() => {});
    assert.deepEqual((await job.kill({ graceMs: 2000 })).survivors, []);
    assert.equal((await followAll(job)).exit.kind, "signal");
    over.abort();
    await feeding;
    await input.cancel();
    await job.remove();
  });

  check("nobody waits for a command that reads nothing more, once it is given up", async (node) => {
    const spec = jobSpec(node, {
      command: "head -c 20000000 >/dev/null; sleep 600",
      hasInput: true,
    });
    const job = await startJob(node.transport, spec);
    const over = new AbortController();
    const stream = endless();
    const input = new JobInput({ stream });
    const feeding = input.feed(new JobLink(node.transport, spec), over.signal);
    const given = assert.rejects(feeding, { name: "AbortError" });
    const notes = `cat ${node.root}/.grid/jobs/${spec.id}.in.[1-9]*`;
    let before = "";
    await waitFor(async () => {
      const { stdout } = await node.transport.exec(notes);
      const far = stdout.trim().split("\n").map((note) => Number(note.split(/\s+/)[1]));
      const stands = stdout === before && Math.max(...far) > 19_000_000;
      before = stdout;
      return stands;
    });
    over.abort();
    await given;
    assert.deepEqual((await job.kill({ graceMs: 2000 })).survivors, []);
    await input.cancel();
    await job.remove();
  });

  check("another try is given the same, as long as it was little", async (node) => {
    const input = new JobInput({
      stream: ReadableStream.from([new TextEncoder().encode("words\n")]),
    });
    for (const id of ["first", "second"]) {
      assert.ok(!input.isSpentFor(id));
      const spec = jobSpec(node, { command: "cat", hasInput: true });
      const job = await startJob(node.transport, spec);
      await input.feed(new JobLink(node.transport, spec), new AbortController().signal);
      assert.equal((await followAll(job)).stdout, "words\n");
      await job.remove();
    }
    const large = new JobInput({ stream: ReadableStream.from([new Uint8Array(5 * 2 ** 20)]) });
    const spec = jobSpec(node, { command: "wc -c", hasInput: true });
    const job = await startJob(node.transport, spec);
    await large.feed(new JobLink(node.transport, spec), new AbortController().signal);
    assert.equal((await followAll(job)).stdout.trim(), String(5 * 2 ** 20));
    assert.ok(!large.isSpentFor(spec.id) && large.isSpentFor("other"));
    await job.remove();
  });
}

type Command = Partial<JobSpec> & { readonly command: string };

function feedAll(node: ContractNode, parts: readonly Uint8Array[], spec: Command) {
  return feed(node, ReadableStream.from(parts.map((part) => part.slice())), spec);
}

async function feed(
  node: ContractNode,
  source: ReadableStream<Uint8Array>,
  command: Command,
  heard: (stdout: string) => void = () => {},
) {
  const spec = jobSpec(node, { ...command, hasInput: true });
  const job = await startJob(node.transport, spec);
  const over = new AbortController();
  const input = new JobInput({ stream: source });
  const feeding = input.feed(new JobLink(node.transport, spec), over.signal).catch((error) => {
    if (!over.signal.aborted) throw error;
  });
  let stdout = "";
  const exit = await job.follow({
    signal: new AbortController().signal,
    onOutput: (stream, bytes) => {
      if (stream === "stdout") heard(stdout += characters(bytes));
    },
  });
  over.abort();
  await feeding;
  await input.cancel();
  await job.remove();
  return { exit, stdout };
}

function endless(): ReadableStream<Uint8Array> {
  const line = new TextEncoder().encode("more\n".repeat(10_000));
  return new ReadableStream({ pull: (controller) => controller.enqueue(line) });
}

function silent(): ReadableStream<Uint8Array> {
  return new ReadableStream({});
}

function characters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function total(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
