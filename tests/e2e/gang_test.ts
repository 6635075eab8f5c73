/**
 * Steps on many nodes, with real OpenSSH nodes on addresses of their own. `GRID_TEST_ROUNDS=20` lets ranks die,
 * and gangs meet, as often as that.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, killIfThere, startGrid, until } from "../support/cli.ts";
import { gangProject, LAB, linesOf, marked } from "../support/gang_rig.ts";
import { writeFakeDocker } from "../support/fake_docker.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";

const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? "1");

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
    outputs:
      total: { from: stdout, match: "sum (\\\\d+)" }
      old: { from: file, path: old.txt }
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
  // Nobody in this run writes it.
  const [first] = lab.nodes;
  assert.ok(first);
  Deno.mkdirSync(first.root);
  Deno.writeTextFileSync(join(first.root, "old.txt"), "7");
  // Nobody can make a file older than it is, and whole seconds and two clocks are allowed for.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  const { code, stderr } = await grid(["run", "p.yaml", ...LAB], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /output "old" is of an earlier time: "old\.txt" was written .* before this run/,
  );
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
      const { code, stderr } = await grid(["run", "p.yaml", ...LAB], {
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
    const { code, stderr } = await grid(["run", "p.yaml", ...LAB], { cwd: folder.path });
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
      grid(["run", "p.yaml", ...LAB], { cwd: path, timeoutMs: 300_000 })
    );
    for (const { code, stderr } of await Promise.all(runs)) assert.equal(code, 0, stderr);
    const lines = Deno.readTextFileSync(log).trim().split("\n");
    assert.equal(lines.length, 14 * round);
    const { stdout } = await grid(["queue", "--json", ...LAB], { cwd: mine.path });
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
    const lines = () => linesOf(effects);
    {
      await using run = startGrid(["run", "p.yaml", ...LAB], { cwd: folder.path });
      await until(() => lines().length === 2, { what: "both ranks" });
      await run.kill();
    }
    const resumed = startGrid(["resume", ...LAB], { cwd: folder.path });
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
  const lines = () => linesOf(ports);
  await using run = startGrid(["run", "p.yaml", ...LAB], { cwd: folder.path });
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

/** As many as there are, each of which would go on for ever. */
const ENDLESS = "MEET nobody-dies";

testWith(
  ["sshd", "python3"],
  "grid cancel and a time-out end all ranks, whatever they ignore",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
    const step = (id: string, more: string) => `
  - { id: ${id}, nodes: 3, env: { MARK: "LAB", VICTIM: "9" }, timeout: { kill-grace: 500ms${more} }, run: "${ENDLESS}" }`;
    using folder = gangProject(lab, {
      "cancelled.yaml": marked(lab, `name: cancelled\nsteps:${step("all", "")}\n`),
      "late.yaml": marked(lab, `name: late\nsteps:${step("all", ", attempt: 4s")}\n`),
    });
    const here = { cwd: folder.path };
    await using run = startGrid(["run", "cancelled.yaml", ...LAB], here);
    const met = () => processesWith(`MARK=${lab.folder}`).length >= 6;
    await until(met, { what: "all ranks and their children" });
    const cancel = await grid(["cancel", "last", ...LAB], here);
    assert.equal(cancel.code, 0, cancel.stderr);
    const { code, stderr } = await run.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /^✖? ?.*all .*cancelled.*; all 3 ranks were ended: 0 survivors/m);
    assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
    const late = await grid(["run", "late.yaml", ...LAB], here);
    assert.equal(late.code, 4, late.stderr);
    assert.match(late.stderr, /all .*timed out.*; all 3 ranks were ended: 0 survivors/);
    assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
  },
);

testWith(
  ["sshd", "root", "unshare", "python3"],
  "ranks in containers meet on their nodes' network, and a cancel ends them through the engine",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    for (const { home } of lab.nodes) writeFakeDocker(home);
    const step = (id: string, run: string) => `
  - id: ${id}
    nodes: 2
    container: { image: none, engine: docker, gpus: none }
    env: { MARK: "LAB", VICTIM: "9" }
    timeout: { kill-grace: 500ms }
    run: ${run}`;
    using folder = gangProject(lab, {
      "p.yaml": marked(lab, `name: boxes\nsteps:${step("all", "MEET")}\n`),
      "endless.yaml": marked(lab, `name: endless\nsteps:${step("all", ENDLESS)}\n`),
    });
    const here = { cwd: folder.path };
    const met = await grid(["run", "p.yaml", ...LAB], here);
    assert.equal(met.code, 0, met.stderr);
    assert.match(met.stderr, /\[1 node2\] sum 3 of rank 1/);
    await using run = startGrid(["run", "endless.yaml", ...LAB], here);
    await until(() => processesWith(`MARK=${lab.folder}`).length >= 6, { what: "all ranks" });
    assert.equal((await grid(["cancel", "last", ...LAB], here)).code, 0);
    const { stderr } = await run.ended;
    assert.match(stderr, /all 2 ranks were ended: 0 survivors \(processes, docker\)/);
    // The keepers look once more.
    await until(() => processesWith(`MARK=${lab.folder}`).length === 0, { what: "the end" });
  },
);

/** Takes the first port that a gang has claimed and listened on, as soon as nobody listens there any more. */
const THIEF = `
import glob, os, socket, sys, time
def listening(port):
    return any(line.split()[1].endswith(":%04X" % port) and line.split()[3] == "0A" for line in open("/proc/net/tcp").readlines()[1:])
while True:
    for path in glob.glob(sys.argv[1] + "/*/port.*"):
        port = int(path.rsplit(".", 1)[1])
        if not listening(port):
            continue
        while listening(port):
            time.sleep(0.001)
        door = socket.create_server(("0.0.0.0", port))
        print(port, flush=True)
        time.sleep(1000)
    time.sleep(0.001)
`;

testWith(
  ["sshd", "python3"],
  "a port that somebody takes before the start costs a choice, not the run",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    using folder = gangProject(lab, {
      "p.yaml": marked(lab, "name: port\nsteps:\n  - { id: all, nodes: 2, retry: 0, run: MEET }\n"),
    });
    const thief = new Deno.Command("python3", {
      args: ["-c", THIEF, join(lab.nodes[0]?.home ?? "", "gpu_leases")],
      stdout: "piped",
    }).spawn();
    try {
      const { code, stderr } = await grid(["run", "p.yaml", ...LAB], { cwd: folder.path });
      assert.equal(code, 0, stderr);
      thief.kill("SIGKILL");
      const stolen = new TextDecoder().decode((await thief.output()).stdout).trim();
      assert.match(stderr, new RegExp(`nothing has run: .*port ${stolen} of "node1" was taken`));
      assert.match(stderr, /\[1 node2\] sum 3 of rank 1/);
    } finally {
      killIfThere(thief);
      await thief.status;
    }
  },
);
