import assert from "node:assert/strict";
import type { HealthRow } from "../../../../src/terminal/tables/health_row.ts";
import { renderHealth } from "../../../../src/terminal/tables/health_table.ts";
import { renderFree } from "../../../../src/terminal/tables/free_table.ts";
import { renderJobs } from "../../../../src/terminal/tables/jobs_table.ts";
import { renderPlan } from "../../../../src/terminal/tables/plan_table.ts";
import { type QueueRow, renderQueue } from "../../../../src/terminal/tables/queue_table.ts";
import { renderRayLogs } from "../../../../src/terminal/tables/ray_logs.ts";
import { renderRayCluster, renderRayHolders } from "../../../../src/terminal/tables/ray_table.ts";
import { renderRuns } from "../../../../src/terminal/tables/runs_table.ts";
import { stripColours } from "../../../../src/terminal/width.ts";
import { displayWidth } from "../../../../src/terminal/width.ts";
import { assertGolden } from "../../../support/golden.ts";
import { RUN, START } from "../../../support/sample_runs.ts";

const GIB = 2 ** 30;
const NOW = START + 60_000;

const gpu = (index: number, usedGib: number, sick?: string) => ({
  index,
  name: "NVIDIA A100-SXM4-40GB",
  memoryUsedBytes: usedGib * GIB,
  memoryTotalBytes: 40 * GIB,
  utilizationPercent: usedGib * 2,
  temperatureCelsius: 54,
  sick,
});

const FACTS = {
  load1: 3.2,
  cores: 32,
  memoryTotalBytes: 256 * GIB,
  memoryAvailableBytes: 200 * GIB,
  diskFreeBytes: 812 * GIB,
  diskUsedPercent: 41,
  gpus: [gpu(0, 4), gpu(1, 36)],
  gpuTool: "nvidia-smi",
  gpuProblem: undefined,
} as const;

const group = (free: number, sick = 0) => ({
  model: "A100",
  memoryBytes: 40 * GIB,
  total: 2,
  free,
  sick,
  unified: false,
});
const looks = (...scores: (number | undefined)[]) => scores.map((score) => ({ score }));

const HEALTH: readonly HealthRow[] = [
  {
    node: "gpu3.example-laboratory.org",
    at: START - 3_600_000,
    status: "unreachable",
    reason: "connection refused by 10.0.0.7 port 22",
    hint: "is sshd running there? try: ssh gpu3",
    score: undefined,
    cpuPercent: undefined,
    gpuPercent: undefined,
    placed: 0,
    facts: undefined,
    looks: looks(20, 60, undefined, undefined),
  },
  {
    node: "gpu2",
    at: NOW - 400,
    status: "unusable",
    reason: "GPU memory 90% used on every GPU",
    hint: undefined,
    score: undefined,
    cpuPercent: 99.6,
    gpuPercent: 90,
    placed: 0,
    facts: { ...FACTS, gpus: [gpu(0, 36), gpu(1, 36, "uncorrected ECC errors")] },
    gpuGroups: [group(0, 1)],
    remarks: [{
      words: "GPU 1: 2 uncorrected ECC errors",
      cure: "sudo nvidia-smi --gpu-reset -i 1",
    }],
    looks: looks(undefined),
  },
  {
    node: "gpu4",
    at: NOW - 3000,
    status: "unusable",
    reason: "drained by ada: new power supply",
    hint: "what runs there goes on; ada takes it back with: grid undrain gpu4",
    score: undefined,
    cpuPercent: 3,
    gpuPercent: 0,
    placed: 0,
    facts: { ...FACTS, gpus: [gpu(0, 0), gpu(1, 0)], drains: [{ account: "ada" }] },
    gpuGroups: [group(2)],
    looks: looks(3, 3, 3),
    sharesWith: ["gpu1", "gpu2"],
  },
  {
    node: "gpu1",
    at: NOW - 12_300,
    status: "ok",
    reason: undefined,
    hint: undefined,
    score: 40.04,
    cpuPercent: 10,
    gpuPercent: 10,
    placed: 12.5,
    parts: [
      { name: "cpu", points: 10, words: "load 3.2 on 32 cores = 10 %, × 1" },
      { name: "gpu", points: 17.54, words: "memory of 2 GPUs = 6 %, × 3" },
    ],
    facts: {
      ...FACTS,
      gpus: [
        {
          ...gpu(0, 4),
          leases: [{
            holder: "ada",
            run: RUN,
            step: "train",
            ageMs: 2 * 3_600_000,
            lastsMs: 2.5 * 3_600_000,
          }, { holder: "ada", run: RUN, step: "gpu", ageMs: 2 * 3_600_000, isCovered: true }],
        },
        { ...gpu(1, 36), processes: [{ pid: 4711, command: "python", memoryBytes: 36 * GIB }] },
      ],
    },
    gpuGroups: [group(0)],
    looks: looks(0, 20, 140, undefined, 400, 250, 60, 40, 40.04),
  },
  {
    node: "cpu1",
    at: NOW,
    status: "ok",
    reason: undefined,
    hint: undefined,
    score: 210.5,
    cpuPercent: undefined,
    gpuPercent: undefined,
    placed: 0,
    facts: {
      ...FACTS,
      load1: undefined,
      memoryTotalBytes: undefined,
      gpus: [],
      gpuTool: "none",
    },
  },
];

/** The same table for a narrow and a wide terminal, and never wider than either. */
function atBothWidths(render: (size: { color: boolean; width: number }) => string): string {
  return [80, 120].map((width) => {
    const text = render({ color: false, width });
    for (const line of text.split("\n")) assert.ok(displayWidth(line) <= width, line);
    const coloured = render({ color: true, width });
    assert.notEqual(coloured, text);
    const trimmed = stripColours(coloured).split("\n").map((line) => line.trimEnd()).join("\n");
    assert.equal(trimmed, text);
    return `${width} columns\n${text}`;
  }).join("\n");
}

Deno.test("renderHealth() shows every node, the best first, with its reason", () => {
  assertGolden(
    "terminal/health.txt",
    atBothWidths((size) => renderHealth(HEALTH, { ...size, now: NOW })),
  );
});

Deno.test("renderHealth() says which GPUs are kept for those who wait in line", () => {
  const [row] = HEALTH;
  assert.ok(row);
  const text = renderHealth([{ ...row, keptGpus: [0, 1, 2, 5] }], {
    color: false,
    width: 120,
    now: NOW,
  });
  assert.match(text, /^ {2}GPU 0–2,5: kept for those who wait in line: grid queue$/m);
});

Deno.test("renderHealth() draws with letters where the terminal is dumb", () => {
  const text = renderHealth(HEALTH, { color: false, width: 80, now: NOW, isDumb: true });
  assertGolden("terminal/health_dumb.txt", text);
  const table = text.split("\n").filter((line) => /^(gpu|cpu)\d/.test(line)).join("");
  // deno-lint-ignore no-control-regex -- any sign that is not ASCII
  assert.doesNotMatch(table, /[^\x00-\x7f]/);
});

Deno.test("renderFree() has a line per model, with a selector", () => {
  const model = { memoryBytes: 80 * GIB, mostOnOne: 3 };
  const nodes = [{ node: "gpu2", free: 3 }, { node: "gpu7", free: 2 }, { node: "gpu9", free: 0 }];
  const rows = [
    { ...model, model: "H100", free: 5, total: 24, nodes, selector: "{ gpus: 3 }" },
    { ...model, model: "A100", free: 0, total: 2, nodes: [], selector: "{ gpus: 1 }" },
  ];
  assertGolden("terminal/free.txt", atBothWidths((size) => renderFree(rows, size)));
  assert.match(renderFree([], { color: false, width: 80 }), /no node that answers has a GPU/);
});

Deno.test("renderHealth() explains a score when asked", () => {
  assertGolden(
    "terminal/health_explained.txt",
    atBothWidths((size) => renderHealth(HEALTH, { ...size, now: NOW, explain: true })),
  );
});

Deno.test("renderRuns() lists runs", () => {
  const run = { run: RUN, pipeline: "train", file: "p.yaml", startedAt: START };
  const rows = [
    { ...run, finishedAt: undefined, result: "running", exitCode: undefined },
    { ...run, finishedAt: START + 65_000, result: "succeeded", exitCode: 0 },
    {
      ...run,
      pipeline: "a-pipeline-with-quite-a-long-name-indeed",
      finishedAt: START + 7_500_000,
      result: "failed",
      exitCode: 1,
    },
    { ...run, finishedAt: START + 10, result: "cancelled", exitCode: 130 },
    {
      ...run,
      finishedAt: undefined,
      result: "stopped",
      exitCode: undefined,
      lastEventAt: START + 3000,
      resumedAs: RUN.replace("x7k2", "m3p9"),
    },
  ];
  assertGolden(
    "terminal/runs.txt",
    atBothWidths((size) => renderRuns(rows, { ...size, now: NOW, timeZone: "UTC" })),
  );
  assert.match(renderRuns([], { color: false, width: 80, now: NOW }), /no runs yet/);
});

Deno.test("renderRayCluster() shows head and workers", () => {
  const node = { reason: undefined, hint: undefined, cpus: 32, gpus: 4 };
  const rows = [
    {
      ...node,
      node: "gpu1",
      role: "head",
      state: "alive",
      address: "10.0.0.5:6379",
      cpusUsed: 2.5,
      gpusUsed: 4,
      memory: { usedBytes: 100 * GIB, totalBytes: 256 * GIB },
    },
    {
      ...node,
      node: "gpu2",
      role: "worker",
      state: "alive",
      address: "10.0.0.6",
      cpusUsed: 0,
      gpusUsed: 0,
      memory: undefined,
    },
    {
      node: "gpu3",
      role: "worker",
      state: "failed",
      address: undefined,
      cpus: undefined,
      gpus: undefined,
      reason: "no Ray in ~/grid_workspace/grid_env",
      hint: "grid setup gpu3",
    },
    { ...node, node: "gpu4", role: "worker", state: "stopped", address: undefined, gpus: 0 },
  ] as const;
  assertGolden("terminal/ray.txt", atBothWidths((size) => renderRayCluster(rows, size)));
});

Deno.test("renderRayHolders() shows who has a part of Ray", () => {
  const holders = [
    {
      kind: "job",
      name: "20260101-120000-abcd_score-1",
      pid: 4711,
      driver: "gpu1",
      startedAt: NOW - 90_000,
      cpus: 6,
      gpus: 6,
      nodes: ["gpu1", "gpu2"],
    },
    {
      kind: "actor",
      name: "server\x1b[31m",
      pid: 4712,
      startedAt: NOW - 86_400_000,
      cpus: 0.5,
      gpus: 1,
      nodes: ["gpu2"],
    },
  ] as const;
  assertGolden(
    "terminal/ray_holders.txt",
    atBothWidths((size) => renderRayHolders(holders, { ...size, now: NOW })),
  );
  assert.equal(renderRayHolders([], { color: false, width: 80, now: NOW }), "nobody uses it\n");
});

Deno.test("renderRayLogs() shows the ends of files, harmless ones", () => {
  const file = { name: "raylet.err", bytes: 2048, text: "one\n\x1b[2Jtwo" };
  const rows = [
    { node: "gpu1", from: "running", folder: "/tmp/r/logs", files: [file], isCut: false },
    { node: "gpu2", from: "kept", folder: "/w/logs", files: [{ ...file, text: "" }], isCut: true },
    { node: "gpu3", from: undefined, folder: undefined, files: [], isCut: false },
  ] as const;
  assertGolden("terminal/ray_logs.txt", renderRayLogs(rows));
});

Deno.test("renderJobs() shows what is left on nodes", () => {
  const rows = [
    {
      node: "gpu1",
      id: `${RUN}.train.1`,
      state: "running",
      exitCode: undefined,
      startedAt: START,
      detached: true,
      pids: [4711, 4712],
    },
    {
      node: "gpu2",
      id: `${RUN}.sweep_lr=1e-4,seed=1_.2`,
      state: "ended",
      exitCode: 137,
      startedAt: START - 86_400_000,
      detached: false,
      pids: [],
    },
  ] as const;
  assertGolden(
    "terminal/jobs.txt",
    atBothWidths((size) => renderJobs(rows, { ...size, now: NOW })),
  );
  const none = { color: false, width: 80, now: NOW };
  assert.equal(renderJobs([], none), "no jobs on any node\n");
  const some = { ...none, nodes: { answered: 2, silent: 1 } };
  assert.equal(renderJobs([], some), "no jobs on the nodes that answered\n");
  assert.equal(
    renderJobs([], { ...none, nodes: { answered: 0, silent: 3 } }),
    "no node answered\n",
  );
});

Deno.test("renderPlan() shows the steps in waves", () => {
  const rows = [
    { id: "code", kind: "sync", wave: 1, node: "all nodes", needs: [], after: [] },
    { id: "gpu", kind: "select-node", wave: 1, node: "best with 1 GPU", needs: [], after: [] },
    {
      id: "train",
      kind: "run",
      wave: 2,
      node: "chosen by gpu",
      needs: ["code", "gpu"],
      after: [],
    },
    {
      id: "score",
      kind: "ray-batch",
      wave: 3,
      node: "ray",
      needs: ["train"],
      after: [],
      remark: "reused from 20260130-090000-abcd: nothing changed",
    },
    {
      id: "sweep[x=1]",
      kind: "run",
      wave: 4,
      node: "best",
      needs: ["score"],
      after: [],
      group: "sweep",
    },
    {
      id: "sweep[x=2]",
      kind: "run",
      wave: 4,
      node: "best",
      needs: ["score"],
      after: [],
      group: "sweep",
    },
    { id: "sweep", kind: "group", wave: 5, node: "", needs: ["score"], after: [] },
    {
      id: "eval/a",
      kind: "run",
      wave: 4,
      node: "best",
      needs: ["score"],
      after: [],
      group: "eval",
    },
    { id: "eval", kind: "group", wave: 5, node: "", needs: ["score"], after: [] },
    {
      id: "sum",
      kind: "run",
      wave: 6,
      node: "local",
      needs: [],
      after: ["score", "train"],
      if: "always()",
    },
    {
      id: "deploy",
      kind: "run",
      wave: 7,
      node: "local",
      needs: ["sum"],
      after: [],
      if: "inputs.deploy",
      skipped: "its condition is false: inputs.deploy",
    },
  ];
  const hook = { kind: "run", node: "local", needs: [], after: [] };
  const hooks = [
    { ...hook, id: "notify", moment: "failure" },
    { ...hook, id: "cleanup", moment: "exit" },
    { ...hook, id: "on-exit-2", moment: "exit", needs: ["cleanup"] },
  ] as const;
  const both = { steps: rows, hooks };
  assertGolden("terminal/plan.txt", atBothWidths((size) => renderPlan(both, size)));
});

Deno.test("renderPlan() never gives two cells of a matrix the same name", () => {
  const ids = ["0.0001", "0.0003"].flatMap((rate) =>
    ["adamw", "sgd"].map((name) => `c[learning_rate=${rate},batch_size=16,optimizer=${name}]`)
  );
  const step = { kind: "run", wave: 2, node: "best with 1 GPU", needs: ["code"], after: [] };
  const rows = ids.map((id) => ({ ...step, id }));
  for (const width of [40, 60, 80, Number.POSITIVE_INFINITY]) {
    const text = renderPlan({ steps: rows, hooks: [] }, { color: false, width });
    const names = [...text.matchAll(/^.{6}(c\[\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(names).size, ids.length, text);
    if (width > 80) assert.deepEqual(names, ids);
  }
});

const QUEUE: readonly QueueRow[] = [
  queueRow({ place: "holds", indices: [0, 1], ageMs: 11_100_000, leftMs: 720_000 }),
  queueRow({ place: "reserved", indices: [2], step: "eval [lr=0.1]", account: "ben", ageMs: 2000 }),
  queueRow({ place: 1, gpus: 2, account: "ben", project: "Sprache · 音声", ageMs: 720_000 }),
  queueRow({ place: 2, gpus: 1, model: "h100", step: "\u001b[2Jeval", ageMs: 70_000 }),
];

function queueRow(changes: Partial<QueueRow>): QueueRow {
  return {
    node: "gpu2",
    place: "holds",
    gpus: 1,
    indices: [],
    model: undefined,
    account: "ada",
    run: RUN,
    step: "train",
    project: "vision",
    ageMs: 0,
    leftMs: undefined,
    ...changes,
  };
}

Deno.test("queue: who holds, and who waits in which place", () => {
  const nodes = { answered: 1, silent: 0 };
  const wide = renderQueue(QUEUE, { color: false, width: 120, nodes });
  const narrow = renderQueue(QUEUE, { color: false, width: 72, nodes });
  const nobody = renderQueue([], { color: false, width: 80, nodes });
  const silent = renderQueue([], { color: false, width: 80, nodes: { answered: 0, silent: 2 } });
  assertGolden("terminal/queue.txt", [wide, narrow, nobody, silent].join("\n"));
  assert.equal(stripColours(renderQueue(QUEUE, { color: true, width: 120, nodes })), wide);
});
