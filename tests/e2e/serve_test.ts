/** `grid serve` as a process: runs of others appear, are followed, cancelled and resumed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project, startGrid } from "../support/cli.ts";
import { startServing } from "../support/serve.ts";

/** Fails until there is a file `fine`; waits for one named `go`. */
const PIPELINE = `name: work
steps:
  - { id: first, node: local, run: echo done once }
  - id: second
    needs: first
    node: local
    timeout: { kill-grace: 1s }
    run: |
      echo waiting
      while [ ! -f go ]; do sleep 0.05; done
      [ -f fine ]
`;

Deno.test("grid serve shows a run of another process as it goes; it is cancelled and resumed there", async () => {
  using home = project({ "work.yaml": PIPELINE });
  await using serving = await startServing(home.path);
  const bare = await fetch(serving.origin);
  assert.equal(bare.status, 401);
  await bare.body?.cancel();

  await using runs = await serving.events("/events");
  await runs.next();
  await using first = startGrid(["run", "work.yaml", "--quiet"], { cwd: home.path });
  const { data } = await runs.find(({ data }) => /r-2/.test(data.runs));
  const run = /id="r-([\w-]+)"/.exec(data.runs)?.[1] ?? "";
  await using events = await serving.events(`/runs/${run}/events`);
  await events.find(({ data }) => /running/.test(data["s2"] ?? ""));
  await using log = await serving.events(`/runs/${run}/logs/second/events`);
  await log.find(({ data }) => /waiting/.test(data.lines ?? ""));

  assert.equal(
    await serving.press(`/runs/${run}`, `/runs/${run}/cancel`),
    `/runs/${run}?said=cancel`,
  );
  assert.equal((await first.ended).code, 130);
  await events.find(({ event }) => event === "over");
  await log.find(({ event }) => event === "over");
  assert.match(await serving.text(`/runs/${run}`), /badge cancelled/);
  assert.match(await serving.text(`/files/${run}/report.html`), /^<!doctype html>/);

  // The new runner outlives the pages.
  const to = await serving.press(`/runs/${run}`, `/runs/${run}/resume`);
  const next = /^\/runs\/(.+)\?said=resume$/.exec(to)?.[1];
  assert.ok(next, to);
  assert.match(await serving.text(`/runs/${run}`), new RegExp(`resumed as <a [^>]+>${next}<`));
  await using resumed = await serving.events(`/runs/${next}/events`);
  await resumed.find(({ data }) => /running/.test(data["s2"] ?? ""));
  serving.process.signal("SIGINT");
  const { code, stderr } = await serving.process.ended;
  assert.equal(code, 130);
  assert.equal(stderr, "Ctrl-C ends it; runs go on\n");
  // Who followed is told by the end of the stream.
  while (await resumed.next() !== undefined);
  Deno.writeTextFileSync(join(home.path, "fine"), "");
  Deno.writeTextFileSync(join(home.path, "go"), "");
  const followed = await grid(["logs", next, "-f"], { cwd: home.path });
  assert.equal(followed.code, 0, followed.stderr);
  const { stdout } = await grid(["runs", "--json"], { cwd: home.path });
  const [newest, oldest] = JSON.parse(stdout).runs;
  assert.deepEqual([newest.run, newest.result, newest.resumes], [next, "succeeded", run]);
  assert.equal(oldest.result, "cancelled");
  assert.deepEqual(
    [...Deno.readDirSync(join(home.path, ".grid"))].filter(({ name }) => /^resume_/.test(name)),
    [],
  );
});

Deno.test("grid serve says what keeps a run from being resumed", async () => {
  using home = project({ "work.yaml": PIPELINE, go: "" });
  assert.equal((await grid(["run", "work.yaml", "--quiet"], { cwd: home.path })).code, 1);
  Deno.removeSync(join(home.path, "work.yaml"));
  const token = join(home.path, "token");
  Deno.writeTextFileSync(token, "0123456789abcdef\n", { mode: 0o600 });
  await using serving = await startServing(home.path, ["--quiet", "--token-file", "token"]);
  assert.equal(serving.address, `${serving.origin}/?token=0123456789abcdef`);
  const run = /id="r-([\w-]+)"/.exec(await serving.text("/"))?.[1];
  assert.equal(await serving.press(`/runs/${run}`, `/runs/${run}/resume`), "409");
  assert.match(
    await serving.text("/metrics"),
    /^grid_runs_completed_total\{.*status="failed"\} 1$/m,
  );
  assert.match(await serving.text("/nodes"), /local1.*local2/s);
});

Deno.test("grid serve listens where it is told to, and says why it does not", async () => {
  using home = project({});
  const options = { cwd: home.path };
  const open = await grid(["serve", "--host", "0.0.0.0"], options);
  assert.equal(open.code, 2);
  assert.match(open.stderr, /^error: Cannot listen on "0\.0\.0\.0": others .*\nhint: .*--listen/);
  assert.equal((await grid(["serve", "--port", "70000"], options)).code, 2);
  const token = join(home.path, "token");
  const refused = async () => {
    const { code, stderr } = await grid(["serve", "--port", "0", "--token-file", "token"], options);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  assert.match(await refused(), /^error: Cannot use the token .*: it cannot be read\n.*\nhint: /);
  Deno.writeTextFileSync(token, "0123456789abcdef", { mode: 0o644 });
  assert.match(await refused(), /others may read it\nhint: chmod 600 /);
  Deno.chmodSync(token, 0o600);
  Deno.writeTextFileSync(token, "too short");
  assert.match(await refused(), /it is not one word of 16 to 200/);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const busy = await grid(["serve", "--port", String(taken.addr.port)], options);
  assert.equal(busy.code, 5, busy.stderr);
  assert.match(busy.stderr, /^error: Cannot listen on port \d+: another program does/);
  const far = await grid(["serve", "--port", "0", "--host", "192.0.2.1", "--listen"], options);
  assert.equal(far.code, 2, far.stderr);
  assert.match(far.stderr, /it is no address of this machine/);
  Deno.writeTextFileSync(
    join(home.path, ".grid", "grid.db"),
    "no database, and long enough to be read as one".repeat(30),
  );
  const damaged = await grid(["serve", "--port", "0"], options);
  assert.equal(damaged.code, 2);
  assert.match(damaged.stderr, /Cannot open the run database .*(\n.*)+^hint: /m);
});
