import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseJson, pythonJson } from "../../../src/core/exact_json.ts";
import type { JsonValue } from "../../../src/core/json.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { runStarted } from "../../support/events.ts";
import { tempDir } from "../../support/temp_dir.ts";

const HOLDER = join(import.meta.dirname ?? ".", "..", "..", "support", "run_holder.ts");

Deno.test("enter() and leave() tell others whether a run is alive", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  assert.equal(store.isAlive("r1"), false);
  store.enter("r1");
  assert.equal(store.isAlive("r1"), true);
  assert.throws(() => store.enter("r1"), { code: "conflict" });
  store.leave("r1");
  assert.equal(store.isAlive("r1"), false);
  store.enter("r1");
});

Deno.test("enter() lets one run alone go on from another, also once that one is over", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.enter("r2", { resumes: "r1" });
  const refused = { code: "conflict", message: /run r2 went on from it already/ };
  assert.throws(() => store.enter("r3", { resumes: "r1" }), refused);
  store.leave("r2");
  store.enter("r3", { resumes: "r1" });
  store.leave("r3");
  store.append("r2", [runStarted("r2", { resumes: "r1" })]);
  assert.throws(() => store.enter("r4", { resumes: "r1" }), refused);
  store.enter("r4", { resumes: "r2" });
  store.append("r4", [runStarted("r4", { resumes: "r2" })]);
  assert.equal(store.latestOf("r1"), "r4");
  assert.equal(store.latestOf("r4"), "r4");
  assert.equal(store.latestOf("unknown"), "unknown");
});

Deno.test("requestCancel() reaches the run, and says where there is none", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  assert.equal(store.requestCancel("r1", "enough"), false);
  store.enter("r1");
  assert.equal(store.cancelRequest("r1"), undefined);
  assert.equal(store.requestCancel("r1", "enough"), true);
  assert.equal(store.cancelRequest("r1"), "enough");
});

Deno.test("join() gives out as many places as there are, first come first served", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  for (const run of ["r1", "r2", "r3", "r4"]) store.enter(run);
  const join_ = (run: string) => store.join(run, { group: "g", max: 2 });
  assert.deepEqual(join_("r1"), { joined: true });
  assert.deepEqual(join_("r1"), { joined: true }, "asking again changes nothing");
  assert.deepEqual(join_("r2"), { joined: true });
  assert.deepEqual(join_("r3"), { joined: false, ahead: ["r1", "r2"] });
  assert.deepEqual(join_("r4"), { joined: false, ahead: ["r1", "r2", "r3"] });
  store.leave("r1");
  assert.equal(join_("r4").joined, false, "r3 came first");
  assert.deepEqual(join_("r3"), { joined: true });
  store.leave("r2");
  assert.deepEqual(join_("r4"), { joined: true });
});

Deno.test("join() keeps groups apart", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.enter("r1");
  store.enter("r2");
  assert.equal(store.join("r1", { group: "a", max: 1 }).joined, true);
  assert.equal(store.join("r2", { group: "b", max: 1 }).joined, true);
});

Deno.test("join() lets two processes have one place between them", async () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  await using holder = await hold(path, "other");
  assert.equal(store.isAlive("other"), true);
  store.enter("mine");
  assert.deepEqual(store.join("mine", { group: "g", max: 1 }), {
    joined: false,
    ahead: ["other"],
  });
  await holder.end("SIGTERM");
});

Deno.test("a run whose process was killed with -9 leaves no place taken", async () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  store.enter("mine");
  {
    await using holder = await hold(path, "other");
    assert.equal(store.join("mine", { group: "g", max: 1 }).joined, false);
    await holder.end("SIGKILL");
  }
  assert.equal(store.isAlive("other"), false);
  assert.equal(store.requestCancel("other", "x"), false);
  assert.deepEqual(store.join("mine", { group: "g", max: 1 }), { joined: true });
});

Deno.test("a later process with the same number is not taken for the runner", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  store.enter("r1");
  change(path, "UPDATE runners SET born = '1'");
  assert.equal(store.isAlive("r1"), false);
});

Deno.test("a runner on another machine counts as alive while it gives signs of life", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  store.enter("r1");
  change(path, "UPDATE runners SET place = 'elsewhere', pid = 1");
  assert.equal(store.isAlive("r1"), true);
  change(path, "UPDATE runners SET seen_at = seen_at - 120000");
  assert.equal(store.isAlive("r1"), false);
  store.cancelRequest("r1");
  assert.equal(store.isAlive("r1"), true, "asking for cancel requests is a sign of life");
});

Deno.test("keep() and find() hold results by key, over all runs", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  const result = { run: "r1", step: "a", at: 5, outputs: { loss: "0.1" }, node: "n1" };
  {
    using store: Store = openStore(path);
    assert.equal(store.find("k"), undefined);
    store.keep("k", result);
  }
  using store = openStore(path);
  assert.deepEqual(store.find("k"), result);
  const exact = parseJson('{"big":1799999999999999999,"lr":3.10,"worst":NaN}');
  store.keep("exact", { ...result, outputs: exact as Record<string, JsonValue> });
  assert.equal(
    pythonJson(store.find("exact")?.outputs),
    '{"big":1799999999999999999,"lr":3.10,"worst":NaN}',
  );
  store.keep("k", { ...result, run: "r2" });
  assert.equal(store.find("k")?.run, "r2");
});

interface Holder extends AsyncDisposable {
  end(signal: Deno.Signal): Promise<void>;
}

/** Another process that has a place in group `g`. */
async function hold(path: string, run: string): Promise<Holder> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", HOLDER, path, run],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "joined\n");
  let ended = false;
  const end = async (signal: Deno.Signal) => {
    if (ended) return;
    ended = true;
    child.kill(signal);
    await child.status;
    await reader.cancel();
  };
  return { end, [Symbol.asyncDispose]: () => end("SIGKILL") };
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}
