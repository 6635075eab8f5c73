/** A detached job keeps its code for as long as it runs, whatever became of its runner. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";

const PIPELINE = `name: long
steps:
  - { id: code, sync: { from: src, to: [here], as: app } }
  - id: train
    needs: code
    node: here
    detach: true
    run: |
      : > ../began
      while [ ! -e ../go ]; do sleep 0.05; done
      cat v.txt > ../trained
`;

Deno.test("a detached job whose runner was killed keeps its tree; then the folder is free again", async () => {
  using folder = project({
    "cluster.yaml":
      "nodes: [{ name: here, transport: local }]\nremote_root: work\njobs: { lease: 1 }\n",
    "p.yaml": PIPELINE,
    "src/v.txt": "one",
  });
  const work = (name: string) => join(folder.path, "work", name);
  const sync = async () => {
    const args = ["sync", "src", "--as", "app", "--to", "here", "--config", "cluster.yaml"];
    const { code, stderr } = await grid(args, { cwd: folder.path });
    assert.equal(code, 0, stderr);
    return stderr;
  };
  await using run = startGrid(["run", "p.yaml", "--config", "cluster.yaml"], { cwd: folder.path });
  await until(() => existsSync(work("began")) || run.isOver(), { what: "the job" });
  await run.kill();
  // The runner's own signs of life are over; those of the job are not.
  const pins = work(".grid/sync/app/pins");
  for (const { name } of Deno.readDirSync(pins)) {
    if (name.includes("@")) continue;
    const [line = "", ...rest] = Deno.readTextFileSync(join(pins, name)).split("\n");
    const [digest = "", , clock = "", silence = ""] = line.trim().split(/ +/);
    const old = [digest, "0", clock, silence].join(" ");
    Deno.writeTextFileSync(join(pins, name), [old, ...rest].join("\n"));
  }
  Deno.writeTextFileSync(join(folder.path, "src/v.txt"), "two");
  assert.match(await sync(), /a run with other code is under way in "app" on here/);
  assert.equal(Deno.readTextFileSync(work("app/v.txt")), "one");
  Deno.writeTextFileSync(work("go"), "");
  await until(() => existsSync(work("trained")), { what: "the job's end" });
  await until(() => Deno.readTextFileSync(work("trained")) === "one", { what: "its own code" });
  let told = "";
  const deadline = performance.now() + 30_000;
  do told = await sync(); while (/under way/.test(told) && performance.now() < deadline);
  assert.doesNotMatch(told, /under way/);
  assert.equal(Deno.readTextFileSync(work("app/v.txt")), "two");
});
