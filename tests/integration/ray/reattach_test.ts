import assert from "node:assert/strict";
import { join } from "node:path";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const WORK = `
import time

def once(task):
    with open("calls", "a") as calls:
        calls.write("%d\\n" % task)
    time.sleep(0.3)
    return task * task
`;

/** A runner as a process of its own, so that it can be killed. */
const RUNNER = `
import { createBatchRunner } from "${ROOT}src/ray/runner.ts";
import { createLocalTransport } from "${ROOT}src/transport/local.ts";
const [root] = Deno.args;
const endpoint = { name: "n1", transport: "local", connectTimeoutMs: 5000, commandTimeoutMs: 5000,
  keepaliveMs: 5000, maxRetries: 0 };
const head = { node: { name: "n1", endpoint, labels: [] }, root, home: root,
  transport: createLocalTransport(endpoint) };
let results = "";
await using runner = createBatchRunner({ mode: "embedded" });
const { failed } = await runner.run(head, {
  id: "run.score." + root.split("-").at(-1), resultsKey: "run.score", target: { call: "work:once" },
  tasks: Array.from({ length: 12 }, (_, index) => String(index)), batchSize: 1, gpusPerBatch: 0,
  cpusPerBatch: 0, maxFailures: 0, cwd: root, code: "code", identityEnv: {}, env: {}, secrets: {}, killGraceMs: 1000,
}, {
  signal: new AbortController().signal,
  output: () => {},
  progress: ({ done }) => console.log(done),
  jobStarted: () => {},
  outcomes: {
    results: (bytes) => void (results += new TextDecoder().decode(bytes)),
    errors: () => {},
  },
});
console.log(JSON.stringify({ failed, results: results.trim().split("\\n").map(Number) }));
await head.transport[Symbol.asyncDispose]();
`;

testWith(
  ["python3"],
  "a batch goes on without its runner, and the next runner takes it up",
  async () => {
    using folder = tempDir();
    Deno.writeTextFileSync(join(folder.path, "work.py"), WORK);
    Deno.writeTextFileSync(join(folder.path, "runner.ts"), RUNNER);
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          "--config",
          join(ROOT, "deno.json"),
          "runner.ts",
          folder.path,
        ],
        cwd: folder.path,
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    const first = start();
    const lines = first.stdout.pipeThrough(new TextDecoderStream()).getReader();
    // Killed in the middle: some tasks have ended, some have not begun.
    for (let text = ""; !/^[1-9]/m.test(text);) {
      const { value, done } = await lines.read();
      assert.ok(!done, "the first runner ended by itself");
      text += value;
    }
    first.kill("SIGKILL");
    await first.status;
    await lines.cancel();
    await first.stderr.cancel();
    const { code, stdout, stderr } = await start().output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const outcome = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "");
    assert.equal(outcome.failed, 0);
    assert.deepEqual(
      outcome.results,
      Array.from({ length: 12 }, (_, index) => index * index),
    );
    const calls = Deno.readTextFileSync(join(folder.path, "calls")).trim().split("\n").map(Number);
    assert.deepEqual(calls.toSorted((a, b) => a - b), Array.from({ length: 12 }, (_, i) => i));
  },
);
