import assert from "node:assert/strict";
import { join } from "node:path";
import type { RayConfig } from "../../../src/cluster/config.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { BatchHost } from "../../../src/ray/batch.ts";
import { runOnExisting } from "../../../src/ray/existing_batch.ts";
import { openTunnel } from "../../../src/transport/tunnel.ts";
import { batchNames } from "../../../src/steps/ray_batch.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { ALIKE, ALIKE_STEPS } from "../../support/alike.ts";
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

def secret(task):
    """The value backwards, and whether it can still be taken from the cluster."""
    import json
    from ray.experimental.internal_kv import _internal_kv_get
    with open(".grid_batch/spec.json") as file:
        sealed = json.loads(file.readline())["sealed"]
    return [os.environ["TOKEN"][::-1], _internal_kv_get(sealed["package"].encode()) is not None]

def many(task):
    """Several functions in one job: to start one takes longer than all of them."""
    return globals()[task["call"]](task["with"])
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
      const [alike = "", other = ""] = ALIKE;
      /** A cell of a matrix; those that are spelled alike have results of their own. */
      const cell = (name: string, fields: SpecFields) => named(name, `s[m=${name}]`, fields);
      const named = (name: string, step: string, fields: SpecFields) =>
        run({
          env: { M: name, PLAIN: "plain" },
          target: { call: "work:many" },
          ...fields,
          ...batchNames({ run: "r1", pipeline: "p", step, attempt: 1, resumeJob: undefined }),
        });
      // To start a job takes longest: they do it together.
      const outcomes = Promise.all([
        cell(alike, {
          tasks: [
            { call: "env", with: 0 },
            ...[0, 1].map((task) => ({ call: "exit_codes", with: task })),
            ...[0, 1, 2, 3, 4, 5].map((task) => ({ call: "visible", with: task })),
          ],
        }),
        cell(other, {
          tasks: [{ call: "env", with: 0 }, { call: "secret", with: 0 }],
          gpusPerBatch: 0,
          secrets: { TOKEN: "planted-secret" },
        }),
        run({
          tasks: FAILING_COMMANDS.map(([command]) => command),
          target: { command: 'eval "$GRID_TASK"' },
          gpusPerBatch: 0,
        }),
      ]);
      await t.step("cells that are spelled alike have results of their own", async () => {
        const [first, second] = await outcomes;
        assert.deepEqual([first.results[0], second.results[0]], [
          { ok: true, value: alike },
          { ok: true, value: other },
        ]);
        assert.deepEqual([first.failed, second.failed], [0, 0]);
      });
      // Each takes as long to start as all that they share, so all of them by hand alone.
      const rest = Deno.env.has("GRID_TEST_ROUNDS") ? [...ALIKE.slice(2), ...ALIKE_STEPS] : [];
      for (const name of rest) {
        await t.step(`the same of ${name.slice(0, 20)}`, async () => {
          const step = ALIKE_STEPS.includes(name) ? name : `s[m=${name}]`;
          const fields = { tasks: [{ call: "env", with: 0 }], gpusPerBatch: 0 };
          assert.deepEqual((await named(name, step, fields)).results, [{ ok: true, value: name }]);
        });
      }
      await t.step("secrets reach the tasks, and stay nowhere else", async () => {
        const [, { results: [, secret] }] = await outcomes;
        assert.deepEqual(secret, { ok: true, value: ["terces-detnalp", false] });
        const { code } = await new Deno.Command("grep", {
          args: ["-rqaF", "planted-secret", dashboard.folder],
        }).output();
        assert.equal(code, 1);
      });
      await t.step("the children of a task end as they do without Ray", async () => {
        const [{ results }, , failures] = await outcomes;
        assert.deepEqual(results.slice(1, 3), Array(2).fill({ ok: true, value: EXIT_CODES }));
        failures.results.forEach((result, index) => {
          assert.match(result.ok ? "" : result.error, FAILING_COMMANDS[index]?.[1] ?? /never/);
        });
      });
      await t.step("each batch has a GPU of its own, in the order of the tasks", async () => {
        const [{ results }] = await outcomes;
        const values = results.slice(3).map((result) => result.ok ? result.value : null);
        const seen = values as unknown as [number, string, string][];
        assert.deepEqual(seen.map(([task]) => task), [0, 1, 2, 3, 4, 5]);
        assert.deepEqual(new Set(seen.map(([, gpu]) => gpu)), new Set(["0", "1"]));
        assert.ok(seen.every(([, , plain]) => plain === "plain"));
      });
      await t.step("a demand that no node meets waits for one that does", async () => {
        let said = "";
        let isJoined: Promise<void> | undefined;
        const { results } = await run({
          target: { call: "work:visible" },
          tasks: [1],
          gpusPerBatch: 3,
        }, {
          output: (_, bytes) => {
            said += new TextDecoder().decode(bytes);
            if (said.includes("(the largest has 2 CPUs and 2 GPUs); waiting")) {
              isJoined ??= dashboard.join({ cpus: 1, gpus: 3 });
            }
          },
        });
        await isJoined;
        assert.deepEqual(results, [{ ok: true, value: [1, "0,1,2", "plain"] }]);
        assert.match(said, /grid: the Ray cluster has a node with 0\.5 CPUs and 3 GPUs now/);
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

/** What is left of a batch is looked for by its name, and tests share machines. */
const TAG = `-${crypto.randomUUID().slice(0, 8)}`;

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
  const given = specFields(fields);
  const outcome = await runOnExisting({
    config: { address: place.dashboard.address, namespace: "default" } as RayConfig,
    head: place.node,
    spec: {
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
      ...given,
      id: `${given.id ?? place.id}${TAG}`,
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
