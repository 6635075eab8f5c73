/**
 * Steps on many nodes, with real OpenSSH nodes on addresses of their own. `GRID_TEST_ROUNDS=20` lets ranks die,
 * and gangs meet, as often as that.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? "1");
const ARGS = ["--config", "lab.yaml"];
const RENDEZVOUS = join(import.meta.dirname ?? "", "..", "support", "rendezvous.py");

/** Each node has the address that it listens on, as machines of one network have. */
function gangProject(lab: OpenSshLab, files: Readonly<Record<string, string>>): TempDir {
  const config = labConfig({ lab, rayMode: "embedded" })
    .replaceAll(/host: (127\.0\.0\.\d+)/g, "host: $1, address: $1");
  return project({ ...files, "lab.yaml": `${config}jobs: { lease: 5 }\n` });
}

function marked(lab: OpenSshLab, text: string): string {
  return text.replaceAll("LAB", lab.folder).replaceAll("MEET", `exec python3 ${RENDEZVOUS}`);
}

testWith(["sshd"], "ranks meet at a port, and their outputs come home", async () => {
  await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
  using folder = gangProject(lab, {
    "p.yaml": marked(
      lab,
      `name: meet
inputs: { nodes: { type: integer, default: 3 } }
steps:
  - id: all
    nodes: "\${{ inputs.nodes }}"
    outputs: { total: { from: stdout, match: "sum (\\\\d+)" } }
    run: |
      echo "mine=$GRID_NODE_RANK at $GRID_NODE_ADDRESS via $GRID_NODE_INTERFACE" >> "$GRID_OUTPUT"
      MEET
  - id: show
    needs: all
    node: local
    env:
      NODES: "\${{ steps.all.ranks.map(r, r.node) }}"
      LAST: "\${{ steps.all.ranks[2].outputs.mine }}"
    run: echo "total \${{ steps.all.outputs.total }}; $NODES; $LAST"
`,
    ),
  });
  const { code, stderr } = await grid(["run", "p.yaml", ...ARGS], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  for (const rank of [0, 1, 2]) {
    assert.match(stderr, new RegExp(`\\[${rank} node${rank + 1}\\] sum 6 of rank ${rank}\\n`));
  }
  assert.match(
    stderr,
    /total 6; \["node1","node2","node3"\]; 2 at 127\.0\.0\.4 via lo/,
  );
  const claims = await Array.fromAsync(Deno.readDir(join(lab.nodes[0]?.home ?? "", "gpu_leases")))
    .then((found) => found.map(({ name }) => name), () => []);
  for (const name of claims) {
    const left = [...Deno.readDirSync(join(lab.nodes[0]?.home ?? "", "gpu_leases", name))];
    assert.deepEqual(left.filter(({ name }) => name.startsWith("port.")), []);
  }
});

const WAYS = [
  { way: "exit", how: "rank 1 on node2: exit code 3" },
  { way: "exception", how: "rank 1 on node2: exit code 1" },
  { way: "sigkill", how: "rank 1 on node2: ended by SIGKILL" },
  { way: "sigterm", how: "rank 1 on node2: ended by SIGTERM" },
  { way: "lingers", how: 'rank 1 on "node2" wrote to $GRID_FAIL: loss is NaN' },
];

testWith(
  ["sshd"],
  "however a rank dies, it is named, and nothing of the others is left",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
    const steps = WAYS.map(({ way }) => `
  - id: ${way}
    nodes: 3
    env: { MARK: "LAB" }
    timeout: { kill-grace: 500ms }
    retry: 0
    run: MEET ${way}`);
    using folder = gangProject(lab, {
      "p.yaml": marked(lab, `name: dies\nsteps:${steps.join("")}\n`),
    });
    for (let round = 0; round < ROUNDS; round++) {
      const { code, stderr } = await grid(["run", "p.yaml", ...ARGS], {
        cwd: folder.path,
        timeoutMs: 300_000,
      });
      assert.equal(code, 1, stderr);
      for (const { how, way } of WAYS) {
        const [line = ""] = stderr.split("\n").filter((line) => line.startsWith(`✖ ${way} `));
        assert.ok(line.includes(how), `${way}: ${stderr}`);
      }
      assert.match(stderr, /the other 2 ranks were ended: 0 survivors/);
      assert.doesNotMatch(stderr, /exited with code 137/);
      assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
      const report = await grid(["report", "--json"], { cwd: folder.path });
      const { steps } = JSON.parse(report.stdout);
      for (const { id, failure, attempts } of steps) {
        assert.deepEqual([failure.node, failure.rank], ["node2", 1]);
        assert.match(failure.message, /; the other 2 ranks were ended: 0 survivors \(processes\)$/);
        const by = attempts[0].ranks.map(({ by }: { readonly by: string }) => by);
        assert.deepEqual(by, ["grid", "itself", "grid"], id);
      }
    }
  },
);

testWith(
  ["sshd"],
  "code 0 ends nobody, unless the rank said otherwise or others take too long",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    const steps = [
      ["zero", "2", "echo rank $GRID_NODE_RANK; [ $GRID_NODE_RANK = 1 ] || sleep 1"],
      ["said", "2", '[ $GRID_NODE_RANK = 1 ] || sleep 1000; echo "loss is NaN" >> "$GRID_FAIL"'],
      [
        "idle",
        "{ count: 2, idle: 2s }",
        "while [ $GRID_NODE_RANK = 1 ]; do sleep 0.2; echo on; done; sleep 1000",
      ],
      ["late", "{ count: 2, exit-together: 1s }", "[ $GRID_NODE_RANK = 1 ] || sleep 1000"],
    ].map(([id, nodes, run]) => `
  - { id: ${id}, nodes: ${nodes}, env: { MARK: "${lab.folder}" }, timeout: { kill-grace: 500ms }, run: '${run}' }`);
    using folder = gangProject(lab, { "p.yaml": `name: zeros\nsteps:${steps.join("")}\n` });
    const { code, stderr } = await grid(["run", "p.yaml", ...ARGS], { cwd: folder.path });
    // That of the first.
    assert.ok(code === 1 || code === 4, stderr);
    assert.match(stderr, /^✔ zero /m);
    assert.match(
      stderr,
      /^✖ said .* failed: .*rank 1 on "node2" wrote to \$GRID_FAIL: loss is NaN/m,
    );
    assert.match(stderr, /^✖ idle .* timed out: .*rank 0 on "node1" printed nothing for 2\.0s/m);
    assert.match(
      stderr,
      /^✖ late .* timed out: .*rank 0 on "node1" still ran 1\.0s after another/m,
    );
    assert.match(stderr, /rank 0 on node1: printed nothing for 2\.0s; ended by Grid: 0 survivors/);
    assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
    const logs = (...words: readonly string[]) =>
      grid(["logs", "last", ...words], { cwd: folder.path });
    assert.equal((await logs("zero", "--rank", "1")).stdout, "rank 1\n");
    const none = await logs("zero", "--rank", "2");
    assert.equal(none.code, 2);
    assert.match(none.stderr, /Cannot show logs of rank 2: the last is rank 1/);
  },
);

testWith(["sshd"], "two gangs of three that want the same four nodes both end", async () => {
  await using lab = await startOpenSsh({ nodes: 4, gpus: 1 });
  const log = join(lab.folder, "log");
  const step = (id: string) =>
    `  - { id: ${id}, nodes: { count: 3, gpus: 1 }, node: { wait: 5m }, run: "echo $GRID_STEP $GRID_NODE_RANK >> ${log}; sleep 0.3" }\n`;
  const single = `  - { id: one, node: { gpus: 1, wait: 5m }, run: "echo one >> ${log}" }\n`;
  const files = { "p.yaml": `name: gangs\nsteps:\n${step("a")}${single}${step("b")}` };
  using mine = gangProject(lab, files);
  using other = gangProject(lab, files);
  for (let round = 1; round <= ROUNDS; round++) {
    const runs = [mine, other].map(({ path }) =>
      grid(["run", "p.yaml", ...ARGS], { cwd: path, timeoutMs: 300_000 })
    );
    for (const { code, stderr } of await Promise.all(runs)) assert.equal(code, 0, stderr);
    const lines = Deno.readTextFileSync(log).trim().split("\n");
    assert.equal(lines.length, 14 * round);
    const { stdout } = await grid(["queue", "--json", ...ARGS], { cwd: mine.path });
    assert.deepEqual(JSON.parse(stdout).queue, []);
  }
});

testWith(
  ["sshd"],
  "ranks outlive their runner, and a resume goes on with all of them",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    const go = join(lab.folder, "go");
    const effects = join(lab.folder, "effects");
    using folder = gangProject(lab, {
      "p.yaml": `name: resumed
steps:
  - id: all
    nodes: 2
    detach: true
    env: { MARK: "${lab.folder}" }
    run: |
      echo "begin $GRID_NODE_RANK" >> ${effects}
      while [ ! -e ${go} ]; do sleep 0.1; done
      echo "end $GRID_NODE_RANK" >> ${effects}
      echo "mine=$GRID_NODE_RANK" >> "$GRID_OUTPUT"
`,
    });
    const lines = () => {
      try {
        return Deno.readTextFileSync(effects).trim().split("\n").toSorted();
      } catch {
        return [];
      }
    };
    {
      await using run = startGrid(["run", "p.yaml", ...ARGS], { cwd: folder.path });
      await until(() => lines().length === 2, { what: "both ranks" });
      await run.kill();
    }
    const resumed = startGrid(["resume", ...ARGS], { cwd: folder.path });
    await using run = resumed;
    Deno.writeTextFileSync(go, "");
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(lines(), ["begin 0", "begin 1", "end 0", "end 1"]);
    const report = JSON.parse((await grid(["report", "--json"], { cwd: folder.path })).stdout);
    assert.deepEqual(
      report.steps[0].outputs.ranks.map(({ node, outputs }: Record<string, unknown>) => [
        node,
        outputs,
      ]),
      [["node1", { mine: "0" }], ["node2", { mine: "1" }]],
    );
  },
);

testWith(["sshd"], "a lost node ends the gang, which starts again elsewhere", async () => {
  await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
  const ports = join(lab.folder, "ports");
  using folder = gangProject(lab, {
    "p.yaml": `name: lost
steps:
  - id: all
    nodes: 2
    env: { MARK: "${lab.folder}" }
    node: { exclude: ["\${{ attempt == 1 ? 'node3' : 'nobody' }}"] }
    timeout: { kill-grace: 500ms }
    retry: { max: 1, on: [node-lost], avoid-node: true, delay: 100ms }
    run: |
      echo "$GRID_ATTEMPT $GRID_NODE $GRID_MAIN_PORT" >> ${ports}
      [ "$GRID_ATTEMPT" = 2 ] || sleep 1000
`,
  });
  const lines = () => {
    try {
      return Deno.readTextFileSync(ports).trim().split("\n").toSorted();
    } catch {
      return [];
    }
  };
  await using run = startGrid(["run", "p.yaml", ...ARGS], { cwd: folder.path });
  await until(() => lines().length === 2, { what: "both ranks" });
  await lab.nodes[1]?.stop();
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /rank 1 on "node2"/);
  const [one, two, three, four] = lines().map((line) => line.split(" "));
  assert.deepEqual([one?.[1], two?.[1], three?.[1], four?.[1]], [
    "node1",
    "node2",
    "node1",
    "node3",
  ]);
  assert.notEqual(one?.[2], three?.[2]);
  assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
});
