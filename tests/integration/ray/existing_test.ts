import assert from "node:assert/strict";
import { join } from "node:path";
import type { RayConfig } from "../../../src/cluster/config.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { BatchHost } from "../../../src/ray/batch.ts";
import { runOnExisting } from "../../../src/ray/existing_batch.ts";
import { openTunnel } from "../../../src/ray/tunnel.ts";
import { batchNames } from "../../../src/steps/ray_batch.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { ALIKE } from "../../support/alike.ts";
import {
  type BatchResults,
  CollectedOutcomes,
  type SpecFields,
  specFields,
} from "../../support/batch_results.ts";
import { EXIT_CODE_WORK, EXIT_CODES, FAILING_COMMANDS } from "../../support/exit_code_work.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { startDashboard } from "../../support/ray_dashboard.ts";
import { testWith } from "../../support/requires.ts";

const WORK = `
import os, time

def visible(task):
    time.sleep(0.3)
    return [task, os.environ["CUDA_VISIBLE_DEVICES"], os.environ["PLAIN"]]

def sleepy(task):
    time.sleep(300)

def env(task):
    return os.environ["M"]
${EXIT_CODE_WORK}`;

/** An SSH node that holds the code. */
async function openNode() {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const pool = createPool({ handshakes: 10 });
  const [sshNode] = lab.nodes;
  assert.ok(sshNode);
  const { name, endpoint, root, home } = sshNode;
  Deno.mkdirSync(join(root, "code"), { recursive: true });
  Deno.writeTextFileSync(join(root, "code", "work.py"), WORK);
  const node: OpenNode = {
    node: { name, endpoint, labels: [], gpus: undefined, remoteRoot: root },
    transport: pool.transport(endpoint),
    root,
    home,
  };
  return {
    node,
    [Symbol.asyncDispose]: async () => {
      await pool[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

testWith(["sshd", "python3"], "openTunnel() leads to what only the node can reach", async () => {
  await using place = await openNode();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => new Response(`got ${(await request.text()).length}`),
  );
  await using tunnel = openTunnel(place.node, { host: "127.0.0.1", port: server.addr.port });
  using client = Deno.createHttpClient({});
  const big = "x".repeat(1_000_000);
  const answers = await Promise.all([1, 2, 3].map(async () => {
    const url = `http://127.0.0.1:${tunnel.port}/`;
    return await (await fetch(url, { method: "POST", body: big, client })).text();
  }));
  assert.deepEqual(answers, Array(3).fill("got 1000000"));
});

testWith(
  ["ray-dashboard", "sshd"],
  "a batch on a Ray cluster that somebody else started",
  async (t) => {
    await using place = await openNode();
    await using dashboard = await startDashboard({ cpus: 2, gpus: 2 });
    const before = Deno.env.get("RAY_AUTH_TOKEN");
    Deno.env.set("RAY_AUTH_TOKEN", dashboard.token);
    let ids = 0;
    const run = (fields: SpecFields, host: Partial<BatchHost> = {}) =>
      runBatch({ dashboard, node: place.node, id: `run.step.${++ids}` }, fields, host);
    try {
      await t.step("each batch has a GPU of its own, in the order of the tasks", async () => {
        const { results, failed } = await run({});
        assert.equal(failed, 0);
        const values = results.map((result) => result.ok ? result.value : null) as unknown as [
          number,
          string,
          string,
        ][];
        assert.deepEqual(values.map(([task]) => task), [0, 1, 2, 3, 4, 5]);
        assert.deepEqual(new Set(values.map(([, gpu]) => gpu)), new Set(["0", "1"]));
        assert.ok(values.every(([, , plain]) => plain === "plain"));
      });
      await t.step("the children of a task end as they do without Ray", async () => {
        const fields = { tasks: [0, 1], gpusPerBatch: 0 };
        const { results } = await run({ ...fields, target: { call: "work:exit_codes" } });
        assert.deepEqual(results, Array(2).fill({ ok: true, value: EXIT_CODES }));
        const tasks = FAILING_COMMANDS.map(([command]) => command);
        const target = { command: 'eval "$GRID_TASK"' };
        const failures = await run({ ...fields, target, tasks });
        failures.results.forEach((result, index) => {
          assert.match(result.ok ? "" : result.error, FAILING_COMMANDS[index]?.[1] ?? /never/);
        });
      });
      await t.step("cells that are spelled alike have results of their own", async () => {
        const names = ALIKE.slice(0, 3);
        const outcomes = await Promise.all(names.map((name) => {
          const step = {
            run: "r1",
            pipeline: "p",
            step: `s[m=${name}]`,
            attempt: 1,
            resumeJob: undefined,
          };
          const fields = { tasks: [1], gpusPerBatch: 0, env: { M: name } };
          return run({ ...fields, target: { call: "work:env" }, ...batchNames(step) });
        }));
        assert.deepEqual(
          outcomes.map(({ results: [result] }) => result),
          names.map((value) => ({ ok: true, value })),
        );
      });
      await t.step("cancel leaves no job behind", async () => {
        const controller = new AbortController();
        const running = run({ target: { call: "work:sleepy" } }, {
          signal: controller.signal,
          progress: () => controller.abort(new Error("enough")),
        });
        await assert.rejects(running, { message: "enough" });
        const response = await fetch(`${dashboard.address}/api/jobs/`, {
          headers: { authorization: `Bearer ${dashboard.token}` },
        });
        const jobs: { type: string }[] = await response.json();
        assert.deepEqual(jobs.filter(({ type }) => type === "SUBMISSION"), []);
      });
    } finally {
      if (before === undefined) Deno.env.delete("RAY_AUTH_TOKEN");
      else Deno.env.set("RAY_AUTH_TOKEN", before);
    }
  },
);

async function runBatch(
  place: {
    readonly dashboard: { readonly address: string };
    readonly node: OpenNode;
    readonly id: string;
  },
  fields: SpecFields,
  host: Partial<BatchHost>,
): Promise<BatchResults> {
  const outcomes = new CollectedOutcomes();
  const outcome = await runOnExisting({
    config: { address: place.dashboard.address, namespace: "default" } as RayConfig,
    head: place.node,
    spec: {
      id: place.id,
      resultsKey: `${place.id}.${crypto.randomUUID()}`,
      target: { call: "work:visible" },
      tasks: ["0", "1", "2", "3", "4", "5"],
      batchSize: 1,
      gpusPerBatch: 1,
      cpusPerBatch: 0.5,
      maxFailures: 0,
      cwd: join(place.node.root, "code"),
      code: "code",
      identityEnv: {},
      env: { PLAIN: "plain" },
      secrets: {},
      killGraceMs: 5000,
      ...specFields(fields),
    },
    host: {
      outcomes,
      signal: new AbortController().signal,
      output: () => {},
      progress: () => {},
      jobStarted: () => {},
      ...host,
    },
  });
  return outcomes.of(outcome);
}
