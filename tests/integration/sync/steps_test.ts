/** The sync and fetch steps on real folders; only the cluster around the nodes is made up. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { GridError } from "../../../src/core/errors.ts";
import type { StepHost, StepNote, StepRequest } from "../../../src/engine/ports.ts";
import type { FetchAction, SyncAction } from "../../../src/pipeline/pipeline.ts";
import { createFetchStep } from "../../../src/steps/fetch.ts";
import { createSyncStep } from "../../../src/steps/sync.ts";
import { readTree, startSyncRig, type SyncRig, writeFiles } from "../../support/sync_rig.ts";

const CONFIG = {
  excludePatterns: [".git", "*.pyc"],
  useChecksums: true,
  followSymlinks: false,
  maxParallelTransfers: 5,
};

function openNode(rig: SyncRig, name: string): OpenNode {
  const endpoint = { ...rig.transport.endpoint, name };
  const root = join(rig.folder, name);
  Deno.mkdirSync(root, { recursive: true });
  const node = { name, endpoint, labels: [], gpus: undefined, remoteRoot: root };
  return { node, transport: rig.transport, root, home: rig.folder };
}

/** `down` is configured but cannot be reached. */
function clusterOf(rig: SyncRig, names: readonly string[]) {
  return {
    nodes: names.map((name) => openNode(rig, name).node),
    open(name: string): Promise<OpenNode> {
      if (name === "down") {
        const message = 'Cannot connect to "down": refused';
        return Promise.reject(new GridError({ code: "tcp", message, node: name }));
      }
      return Promise.resolve(openNode(rig, name));
    },
    select: () => Promise.reject(new Error("nothing to select in this test")),
  };
}

function requestOf<A>(action: A, more: object = {}): StepRequest & { action: A } {
  return {
    run: "r",
    pipeline: "p",
    step: "s",
    attempt: 1,
    action,
    node: { kind: "best" },
    avoidNodes: [],
    env: {},
    secrets: {},
    outputs: [],
    workingDirectory: undefined,
    shell: "bash",
    detach: false,
    killGraceMs: 0,
    folders: {},
    resumeJob: undefined,
    ...more,
  } as unknown as StepRequest & { action: A };
}

function hostWith(notes: StepNote[]): StepHost {
  return {
    signal: AbortSignal.timeout(30_000),
    clock: systemClock,
    output: () => {},
    note: (note) => void notes.push(note),
  };
}

function syncAction(more: Partial<SyncAction<string>> = {}): SyncAction<string> {
  return {
    kind: "sync",
    from: ".",
    to: "all",
    as: undefined,
    excludeFrom: undefined,
    exclude: [],
    delete: true,
    writes: [],
    ...more,
  };
}

Deno.test("createSyncStep() brings the project to every configured node", async () => {
  await using rig = startSyncRig();
  rig.write({ "train.py": "print(1)", "a.pyc": "", "local/notes.txt": "" });
  const notes: StepNote[] = [];
  const step = createSyncStep({
    cluster: clusterOf(rig, ["n1", "n2"]),
    config: CONFIG,
    project: rig.source,
  });
  const action = syncAction({ exclude: ["local/"] });
  const outcome = await step.run(requestOf(action), hostWith(notes));
  assert.deepEqual(outcome, { status: "succeeded", outputs: { files: 2, bytes: 16 } });
  const finished = notes.filter((note) => note.type === "sync.finished");
  assert.deepEqual(finished.map((note) => [note.node, note.sent, note.total, note.folder]), [
    ["n1", 1, 1, join(rig.folder, "n1", "source")],
    ["n2", 1, 1, join(rig.folder, "n2", "source")],
  ]);
  assert.deepEqual(readTree(join(rig.folder, "n2", "source")), { "train.py": "file print(1)" });
});

Deno.test("createSyncStep() names the folder on a single node as an output", async () => {
  await using rig = startSyncRig();
  rig.write({ "src/a.py": "a" });
  const step = createSyncStep({
    cluster: clusterOf(rig, ["n1"]),
    config: CONFIG,
    project: rig.source,
  });
  const action = syncAction({ from: "src", to: ["n1"], as: "code" });
  const outcome = await step.run(requestOf(action), hostWith([]));
  assert.equal(
    outcome.status === "succeeded" && outcome.outputs["folder"],
    join(rig.folder, "n1", "code"),
  );
});

Deno.test("createSyncStep() serves the others, then fails naming the node that is down", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  const step = createSyncStep({
    cluster: clusterOf(rig, ["n1", "down"]),
    config: CONFIG,
    project: rig.source,
  });
  const notes: StepNote[] = [];
  await assert.rejects(step.run(requestOf(syncAction()), hostWith(notes)), {
    code: "tcp",
    node: "down",
    message: 'Cannot connect to "down": refused (1 other node was synced)',
  });
  assert.deepEqual(notes.map((note) => note.type), ["sync.finished"]);
  assert.deepEqual(readTree(join(rig.folder, "n1", "source")), { "a.txt": "file a" });
});

Deno.test("createSyncStep() warns of what was changed on the node or cannot travel", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  Deno.symlinkSync("/etc", join(rig.source, "etc"));
  const step = createSyncStep({
    cluster: clusterOf(rig, ["n1", "n2"]),
    config: CONFIG,
    project: rig.source,
  });
  await step.run(requestOf(syncAction()), hostWith([]));
  writeFiles(join(rig.folder, "n1", "source"), { "a.txt": "edited" });
  const notes: StepNote[] = [];
  await step.run(requestOf(syncAction()), hostWith(notes));
  const [first, ...warnings] = notes.flatMap((note) =>
    note.type === "warned" ? [note.message] : []
  );
  assert.match(
    first ?? "",
    /^Not written by Grid on n1, moved aside before it is replaced: a\.txt \(/,
  );
  assert.deepEqual(warnings, [
    "Changed on n1 and put right: a.txt",
    "Not synced to n[1-2]: etc (a link that leaves the folder: /etc)",
  ]);
});

Deno.test("createSyncStep() leaves this machine as it is: the code is already here", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  const step = createSyncStep({ cluster: clusterOf(rig, []), config: CONFIG, project: rig.source });
  const outcome = await step.run(requestOf(syncAction({ to: ["local"] })), hostWith([]));
  assert.deepEqual(outcome, {
    status: "succeeded",
    outputs: { folder: rig.source, files: 0, bytes: 0 },
  });
  assert.deepEqual(readTree(rig.source), { "a.txt": "file a" });
});

Deno.test("createFetchStep() fetches from the folder that was synced to the node", async () => {
  await using rig = startSyncRig();
  const folder = join(rig.folder, "n1", "source");
  writeFiles(folder, { "out/model.json": "{}", "out/metrics.json": "[]" });
  const action: FetchAction<string> = { kind: "fetch", from: ["out/*.json"], to: "results" };
  const request = requestOf(action, {
    node: { kind: "named", name: "n1" },
    folders: { n1: folder },
  });
  const step = createFetchStep({ cluster: clusterOf(rig, ["n1"]), project: rig.source });
  const notes: StepNote[] = [];
  const outcome = await step.run(request, hostWith(notes));
  const files = ["out/metrics.json", "out/model.json"];
  const to = join(rig.source, "results");
  assert.deepEqual(outcome, { status: "succeeded", outputs: { files, bytes: 4, folder: to } });
  assert.deepEqual(notes, [
    { type: "node.chosen", node: "n1" },
    { type: "fetch.finished", node: "n1", folder: to, files, bytes: 4 },
  ]);
});
