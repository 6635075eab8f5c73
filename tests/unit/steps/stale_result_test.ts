import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRunStep } from "../../../src/steps/run.ts";
import { openRunTrees } from "../../../src/steps/run_trees.ts";
import { freshnessOf } from "../../../src/steps/stale_result.ts";
import { openStepRig, recordHost, RUN, stepRequest } from "../../support/step_rig.ts";

const HOUR_MS = 3_600_000;
const OUTPUTS = [{ name: "loss", from: "file" as const, path: "m.json", json: ".loss" }];

/** What is warned of where a command with an output from `m.json` ends well, which lay there for an hour. */
async function warningsOf(command: string, { isSynced = false } = {}): Promise<string[]> {
  await using rig = openStepRig();
  const file = join(rig.root, "m.json");
  writeFileSync(file, '{"loss": 1}');
  await using opened = openRunTrees({ project: rig.root, run: RUN, leaseMs: 60_000 });
  // Nobody can make a file older than it is; so the run begins in an hour, unless it has written it.
  const { owner } = opened.run;
  const at = command.includes("> m.json") ? owner.at : owner.at + HOUR_MS;
  const trees = { ...opened, files: opened.files, run: { ...opened.run, owner: { ...owner, at } } };
  if (isSynced) {
    const content = "mtime:1";
    trees.files.add(rig.root, [{
      path: "m.json",
      type: "file",
      executable: false,
      size: 11,
      content,
    }]);
  }
  await using step = createRunStep({ cluster: rig.cluster, trees });
  const host = recordHost();
  const action = { kind: "run" as const, run: command };
  const outcome = await step.run(stepRequest({ action, outputs: OUTPUTS }), host);
  assert.equal(outcome.status, "succeeded", JSON.stringify(outcome));
  return host.notes.flatMap((note) => note.type === "warned" ? [note.message] : []);
}

Deno.test("an output that is read from a file of an earlier run is warned of", async () => {
  const [warning, ...more] = await warningsOf("echo forgot to write");
  assert.match(
    warning ?? "",
    /^output "loss" is of an earlier time: "m\.json" was written 1h .*before this run began/,
  );
  assert.deepEqual(more, []);
});

Deno.test("a file that was written anew or came with the code is not warned of", async () => {
  assert.deepEqual(await warningsOf("echo '{\"loss\": 2}' > m.json"), []);
  assert.deepEqual(await warningsOf("true", { isSynced: true }), []);
});

Deno.test("freshnessOf() is nothing in a run that goes on from another, which may use what that one made", async () => {
  await using rig = openStepRig();
  await using trees = openRunTrees({ project: rig.root, run: RUN, leaseMs: 60_000 });
  const resumed = { files: trees.files, run: { ...trees.run, forerunners: ["r1"] } };
  assert.equal(freshnessOf(resumed, recordHost()), undefined);
});
