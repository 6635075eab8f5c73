/** What a step may ask of a node, from the pipeline's words to the node and the GPU that it gets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { setGpus } from "../support/fake_nvidia_smi.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

const GIB = 1024;

interface Report {
  readonly steps: readonly {
    readonly id: string;
    readonly state: string;
    readonly node: string | null;
    readonly failure: { readonly message: string } | null;
  }[];
}

testWith(["sshd"], "each word of a selector chooses and refuses", async () => {
  await using lab = await startOpenSsh({ nodes: 3, gpus: 2 });
  const [first, second, third] = lab.nodes;
  assert.ok(first && second && third);
  // The first has little left, the second one large card, the third is as it comes.
  setGpus(first.home, [{ memoryUsed: 400, memoryTotal: 8 * GIB }]);
  setGpus(second.home, [{ memoryTotal: 80 * GIB }]);
  const config = labConfig({ lab, rayMode: "embedded" })
    .replace("name: node2,", "name: node2, labels: [large, 80],");
  const fits = {
    vram: ["{ min-free-vram: 40GiB }", ["node2"]],
    both: ["{ gpus: 2, min-free-vram: 20GiB }", ["node3"]],
    labels: ["{ labels: [large] }", ["node2"]],
    number: ["{ labels: 80 }", ["node2"]],
    exclude: ["{ exclude: [node1, node3] }", ["node2"]],
    among: ["{ among: [node1, node3], exclude: node3 }", ["node1"]],
    model: ["{ gpu: a100, exclude: [node1, node2] }", ["node3"]],
    easy: [
      "{ max-load: 10000, max-score: 400, min-free-memory: 1MiB, min-free-disk: 1MiB }",
      ["node1", "node2", "node3"],
    ],
  } as const;
  const refused = {
    no_vram: ["{ min-free-vram: 100GiB, wait: 1h }", /GiB/],
    no_label: ["{ labels: [large, other] }", /lacks the label other/],
    no_node: ["{ exclude: [node1, node2, node3] }", /excluded/],
    no_model: ["{ gpu: h100, wait: 1h }", /Cannot choose a node: .*GPU 0 is NVIDIA A100/],
    no_gpus: ["{ gpus: 3, wait: 1h }", /of 3 GPUs/],
    no_memory: ["{ min-free-memory: 900TiB, wait: 1h }", /of memory free/],
    no_disk: ["{ min-free-disk: 900TiB }", /its disk has .* free/],
    no_score: ["{ max-score: 0, gpus: 1, exclude: [node2, node3] }", /its score is /],
  } as const;
  const step = ([id, [node]]: readonly [string, readonly [string, unknown]]) =>
    `  - { id: ${id}, needs: [${id === "model" ? "both" : ""}], node: ${node}, run: 'true' }\n`;
  using folder = project({
    "lab.yaml": config,
    "wishes.yaml": `name: wishes\nsteps:\n${
      [...Object.entries(fits), ...Object.entries(refused)].map(step).join("")
    }`,
  });
  const { code, stdout, stderr } = await grid(
    ["run", "wishes.yaml", "--json", "--config", "lab.yaml"],
    { cwd: folder.path },
  );
  assert.equal(code, 3, stderr);
  const { steps }: Report = JSON.parse(stdout);
  const byId = new Map(steps.map((step) => [step.id, step]));
  for (const [id, [, nodes]] of Object.entries(fits)) {
    const found = byId.get(id);
    assert.equal(found?.state, "succeeded", `${id}: ${JSON.stringify(found)}`);
    assert.ok((nodes as readonly string[]).includes(found?.node ?? ""), `${id}: ${found?.node}`);
  }
  for (const [id, [, words]] of Object.entries(refused)) {
    const found = byId.get(id);
    assert.equal(found?.state, "failed", `${id}: ${JSON.stringify(found)}`);
    assert.match(JSON.stringify(found), words, `${id}: ${JSON.stringify(found)}`);
  }
  const command = (model: string) =>
    grid(["run", "echo $GRID_NODE:$GRID_GPUS", "--gpu", model, "--config", "lab.yaml"], {
      cwd: folder.path,
    });
  const [fitting, none] = await Promise.all([command("a100"), command("h100")]);
  assert.match(fitting.stdout, /^node[123]:\d$/m, fitting.stderr);
  assert.match(none.stderr, /GPUs? [-0-9]+ (is|are) NVIDIA A100/);
});

testWith(["sshd"], "steps that share on purpose have one GPU together, others do not", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
  const at = (name: string) => join(lab.folder, name);
  const meet = (own: string, other: string) =>
    `echo "$CUDA_VISIBLE_DEVICES" >${at(own)}; while [ ! -e ${at(other)} ]; do sleep 0.05; done`;
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "share.yaml": `name: share
steps:
  - { id: one, needs: [], node: { gpus: 1, share: true }, run: '${meet("one", "two")}; ${
      meet("third", "over")
    }' }
  - { id: two, needs: [], node: { gpus: 1, share: true }, run: '${meet("two", "one")}' }
  - { id: alone, needs: two, node: { gpus: 1 }, run: 'true' }
  - { id: over, needs: [], if: "\${{ always() }}", node: local, run: 'while [ ! -e ${
      at("third")
    } ]; do sleep 0.05; done; sleep 1; : >${at("over")}' }
`,
  });
  const { code, stdout, stderr } = await grid(
    ["run", "share.yaml", "--json", "--config", "lab.yaml"],
    { cwd: folder.path },
  );
  assert.equal(code, 3, stderr);
  const { steps }: Report = JSON.parse(stdout);
  const states = Object.fromEntries(steps.map(({ id, state }) => [id, state]));
  assert.equal(states["one"], "succeeded", stderr);
  assert.equal(states["two"], "succeeded", stderr);
  assert.equal(states["alone"], "failed", "it did not say that it shares");
  const alone = steps.find(({ id }) => id === "alone");
  assert.match(alone?.failure?.message ?? "", /GPU 0|about to be used/);
  const uuids = ["one", "two"].map((name) => Deno.readTextFileSync(at(name)));
  assert.deepEqual(uuids, ["GPU-00000000\n", "GPU-00000000\n"]);
});

testWith(["sshd"], "as many cells as GPUs are free run at once, each with its own", async () => {
  // The size of the promise: GRID_TEST_CELLS=8 GRID_TEST_CELL_GPUS=10 GRID_TEST_CELL_SECONDS=10
  const cells = Number(Deno.env.get("GRID_TEST_CELLS") ?? 4);
  const gpus = Number(Deno.env.get("GRID_TEST_CELL_GPUS") ?? 5);
  const seconds = Number(Deno.env.get("GRID_TEST_CELL_SECONDS") ?? 0);
  await using lab = await startOpenSsh({ nodes: 1, gpus });
  const begun = join(lab.folder, "begun");
  const numbers = Array.from({ length: cells }, (_, at) => at);
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "cells.yaml": `name: cells
steps:
  - id: cell
    matrix: { i: [${numbers.join(", ")}] }
    node: { gpus: 1 }
    run: |
      echo "$GRID_GPUS" >>${begun}
      while [ "$(wc -l <${begun})" -lt ${cells} ]; do sleep 0.05; done
      sleep ${seconds}
`,
  });
  const started = performance.now();
  const { code, stderr } = await grid(["run", "cells.yaml", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  const took = performance.now() - started;
  assert.equal(code, 0, stderr);
  const given = Deno.readTextFileSync(begun).trim().split("\n");
  assert.equal(given.length, cells);
  assert.equal(new Set(given).size, cells, given.join());
  if (seconds > 0) console.log(`${cells} cells of ${seconds} s: ${(took / 1000).toFixed(1)} s`);
});

testWith(["sshd"], "a node where no claim can be kept is passed over, and says why", async () => {
  await using lab = await startOpenSsh({ nodes: 2, gpus: 2 });
  const [bad, good] = lab.nodes;
  assert.ok(bad && good);
  const claims = join(bad.home, "gpu_leases");
  Deno.mkdirSync(claims, { mode: 0o777 });
  const inTheWay = join(claims, `grid-claims-${Deno.uid()}`);
  Deno.writeTextFileSync(inTheWay, "");
  // It would be the better one.
  setGpus(good.home, [{ memoryUsed: 400 }]);
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  const cwd = folder.path;
  const chosen = await grid(["run", "echo $GRID_NODE", "--gpus", "1", "--config", "lab.yaml"], {
    cwd,
  });
  assert.equal(chosen.stdout, "node2\n", chosen.stderr);
  const words = `claims cannot be kept: ${inTheWay} is not this account's folder`;
  const refused = await grid(["run", "true", "--gpus", "2", "--config", "lab.yaml"], { cwd });
  assert.equal(refused.code, 3, refused.stderr);
  assert.ok(refused.stderr.includes(words), refused.stderr);
  const { stdout } = await grid(["health", "--config", "lab.yaml"], { cwd });
  assert.ok(stdout.includes(words), stdout);
  assert.ok(stdout.includes(`sudo rm -r ${inTheWay}`), stdout);
  const plain = await grid(["run", "true", "--node", "node1", "--config", "lab.yaml"], { cwd });
  assert.equal(plain.code, 0, plain.stderr);
});
