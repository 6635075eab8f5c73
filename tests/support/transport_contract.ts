/** What every transport must do; run on this machine, on an in-process server and on OpenSSH. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { GridError } from "../../src/core/errors.ts";
import type { Channel, ChannelExit, Transport } from "../../src/transport/transport.ts";
import { processesWith } from "./processes.ts";
import { type Part, testWith } from "./requires.ts";
import { tempDir } from "./temp_dir.ts";

/** A transport and whatever had to be started for it. */
export interface TransportRig extends AsyncDisposable {
  readonly transport: Transport;
}

export interface ContractOptions {
  readonly parts?: readonly Part[];
  readonly make: () => Promise<TransportRig>;
}

export function transportContract(name: string, { parts = [], make }: ContractOptions): void {
  const test = (title: string, run: (transport: Transport) => Promise<void>) => {
    const runOnRig = async () => {
      await using rig = await make();
      await run(rig.transport);
    };
    if (parts.length > 0) testWith(parts, `${name}: ${title}`, runOnRig);
    else Deno.test(`${name}: ${title}`, runOnRig);
  };

  test("exec() returns what the command printed, streams apart, and its exit code", async (node) => {
    assert.deepEqual(await node.exec("echo out; echo err >&2; exit 7"), {
      code: 7,
      stdout: "out\n",
      stderr: "err\n",
      cut: false,
    });
  });

  test("exec() runs each command in a shell of its own", async (node) => {
    await node.exec("cd /; X=1; set -f; exit 3");
    const { stdout } = await node.exec('echo "${X-unset}"; case $- in *f*) echo f;; esac; pwd');
    assert.notEqual(stdout, "unset\n/\n");
    assert.match(stdout, /^unset\n\/.+\n$/);
  });

  test("exec() feeds standard input byte for byte", async (node) => {
    const stdin = randomBytes(100_000);
    const { stdout } = await node.exec("od -An -v -tx1 | tr -d ' \\n'", { stdin });
    assert.equal(stdout, stdin.toString("hex"));
  });

  test("exec() keeps every byte in latin1, and a text without its last newline", async (node) => {
    const bytes = Array.from({ length: 256 }, (_, value) => value);
    const script = `printf '${
      bytes.map((value) => `\\${value.toString(8).padStart(3, "0")}`).join("")
    }'`;
    const { stdout } = await node.exec(script, { encoding: "latin1" });
    assert.deepEqual(Array.from(stdout, (char) => char.charCodeAt(0)), bytes);
    assert.equal((await node.exec("printf 'no newline'")).stdout, "no newline");
  });

  test("exec() refuses an answer beyond maxBytes; cut, where it may be, it says so", async (node) => {
    const command = "head -c 5000 /dev/zero | tr '\\0' x";
    await assert.rejects(node.exec(command, { maxBytes: 1000 }), isGridError("answer-too-long"));
    const { stdout, cut } = await node.exec(command, { maxBytes: 1000, mayBeCut: true });
    assert.match(stdout, /^x{1000}\n… 4000 more bytes were dropped\n$/);
    assert.equal(cut, true);
    assert.equal((await node.exec("echo whole")).cut, false);
  });

  test("exec() runs many commands at once, each with its own answer", async (node) => {
    const numbers = Array.from({ length: 40 }, (_, index) => index);
    const answers = await Promise.all(numbers.map((n) => node.exec(`echo ${n}; exit ${n}`)));
    assert.deepEqual(answers.map(({ stdout }) => Number(stdout)), numbers);
    assert.deepEqual(answers.map(({ code }) => code), numbers);
  });

  test("exec() ends with timed-out, and the next command works", async (node) => {
    await assert.rejects(node.exec("sleep 30", { timeoutMs: 100 }), isGridError("timed-out"));
    assert.equal((await node.exec("echo alive")).stdout, "alive\n");
  });

  test("exec() ends with the caller's reason, and the next command works", async (node) => {
    await node.exec(":");
    const controller = new AbortController();
    const running = node.exec("sleep 30", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assert.rejects(running, /enough/);
    assert.equal((await node.exec("echo alive")).stdout, "alive\n");
    await assert.rejects(node.exec("echo no", { signal: controller.signal }), /enough/);
  });

  test("wait() gives way to commands and comes back with every byte", async (node) => {
    const stop = new AbortController();
    const command = "printf '\\000\\036<\\377'; read -r line; printf 'end'";
    const waiting = node.wait(command, { stop: stop.signal });
    assert.equal((await node.exec("echo between")).stdout, "between\n");
    stop.abort();
    const expected = [0, 0x1e, 0x3c, 0xff, 0x65, 0x6e, 0x64];
    assert.deepEqual([...await waiting], expected);
    assert.deepEqual([...await node.wait(command, { stop: stop.signal })], expected);
  });

  test("open() streams both ways and tells the exit code", async (node) => {
    await using channel = await node.open("cat; echo err >&2; exit 5");
    const sent = write(channel, [new TextEncoder().encode("hello ä\r\n")]);
    const [stdout, stderr] = await Promise.all([text(channel.stdout), text(channel.stderr), sent]);
    assert.deepEqual([stdout, stderr], ["hello ä\r\n", "err\n"]);
    assert.deepEqual(await channel.exit, { kind: "code", code: 5 });
  });

  test("open() tells the signal that ended a command", async (node) => {
    await using channel = await node.open("kill -TERM $$");
    await drain(channel);
    assert.deepEqual(await channel.exit, { kind: "signal", signal: "SIGTERM" });
  });

  test("open() carries 20 MiB of random bytes there and back unchanged", async (node) => {
    await using channel = await node.open("cat");
    const chunks = Array.from({ length: 20 }, () => new Uint8Array(randomBytes(1 << 20)));
    const sent = write(channel, chunks);
    const received = createHash("sha256");
    for await (const chunk of channel.stdout) received.update(chunk);
    await sent;
    const expected = createHash("sha256");
    for (const chunk of chunks) expected.update(chunk);
    assert.equal(received.digest("hex"), expected.digest("hex"));
  });

  test("open() holds a command back until its output is read", async (node) => {
    using folder = tempDir();
    const done = `${folder.path}/done`;
    await using channel = await node.open(`head -c 50000000 /dev/zero; : > ${done}`);
    const reader = channel.stdout.getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(await exists(done), false, "50 MB cannot be under way unread");
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
    }
    assert.ok(size > 49_000_000);
    assert.deepEqual(await channel.exit, { kind: "code", code: 0 });
    assert.equal(await exists(done), true);
  });

  test("open() looks no more at what was written: it may be filled anew", async (node) => {
    // Takes nothing at first, so that all windows and pipes on the way are full.
    await using channel = await node.open("sleep 0.2; tr -d 'A' | wc -c");
    const writer = channel.stdin.getWriter();
    const sizes = [
      ...Array.from({ length: 40 }, () => 60_000),
      100_000,
      16_384,
      2 ** 20,
      16_384,
      5,
    ];
    const chunks = sizes.map((size) => new Uint8Array(size).fill(0x41));
    for (const chunk of chunks) {
      void writer.write(chunk).then(() => chunk.fill(0x42));
      await writer.ready;
    }
    await writer.close();
    assert.equal((await text(channel.stdout)).trim(), "0");
    assert.deepEqual(await channel.exit, { kind: "code", code: 0 });
  });

  test("open() survives a command that never reads its input", async (node) => {
    await using channel = await node.open("exec 0<&-; exit 0");
    const writer = channel.stdin.getWriter();
    const flood = (async () => {
      for (let round = 0; round < 200; round++) await writer.write(new Uint8Array(65_536));
    })().catch(() => "broken pipe");
    assert.deepEqual(await channel.exit, { kind: "code", code: 0 });
    await drain(channel);
    assert.equal(await flood, "broken pipe");
    writer.releaseLock();
  });

  test("open() starts in the home folder with the command's words as they are", async (node) => {
    await using channel = await node.open(`printf '%s|' "it's" '$HOME' "a  b" '\\n'`);
    assert.equal(await text(channel.stdout), "it's|$HOME|a  b|\\n|");
  });

  test("open() runs many channels at once", async (node) => {
    const numbers = Array.from({ length: 30 }, (_, index) => index);
    const answers = await Promise.all(numbers.map(async (n) => {
      await using channel = await node.open(`sleep 0.05; echo ${n}`);
      return await text(channel.stdout);
    }));
    assert.deepEqual(answers.map(Number), numbers);
  });

  test("open() refuses to start for a caller that has given up", async (node) => {
    await assert.rejects(
      node.open("echo no", { signal: AbortSignal.abort(new Error("gone")) }),
      /gone/,
    );
  });

  test("a disposed channel ends its command and leaves nothing behind", async (node) => {
    const marker = `GRID_CONTRACT=${crypto.randomUUID()}`;
    const channel = await node.open(`export ${marker}; sleep 300 & sleep 300`);
    await waitUntil(() => processesWith(marker).length === 2);
    await channel[Symbol.asyncDispose]();
    await waitUntil(() => processesWith(marker).length === 0);
  });

  test("a disposed transport refuses further commands", async (node) => {
    await node.exec(":");
    await node[Symbol.asyncDispose]();
    await assert.rejects(node.exec("echo no"), isGridError("lost"));
  });

  test("stats count the channels", async (node) => {
    await node.exec(":");
    const before = node.stats.channels;
    await using channel = await node.open("true");
    await channel.exit;
    assert.equal(node.stats.channels, before + 1);
  });
}

export function isGridError(code: GridError["code"]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof GridError, `not a GridError: ${error}`);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

export async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text();
}

export async function drain(channel: Channel): Promise<ChannelExit> {
  await Promise.all([channel.stdout.pipeTo(new WritableStream()), text(channel.stderr)]);
  return await channel.exit;
}

/** A state, not a time: fails only where it never comes. */
export async function waitUntil(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!await isTrue()) {
    assert.ok(Date.now() < deadline, "it never came true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function write(channel: Channel, chunks: readonly Uint8Array[]): Promise<void> {
  const writer = channel.stdin.getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  await writer.close();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
