/** Steps on many nodes that are machines of their own, and what happens between them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, startGrid, until } from "../support/cli.ts";
import { gangProject, LAB, linesOf, marked } from "../support/gang_rig.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";
import { wireMachines } from "../support/wired_network.ts";

testWith(
  ["sshd", "root", "unshare", "ip", "python3"],
  "a fire wall between two ranks is told of before anything runs",
  async () => {
    await using wire = await wireMachines(3);
    const { machines, enter } = wire;
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0, machines });
    const ran = join(lab.folder, "ran");
    using folder = gangProject(lab, {
      "p.yaml": marked(
        lab,
        `name: wall\nsteps:\n  - { id: all, nodes: 3, retry: 0, run: "echo ran >> ${ran}; MEET" }\n`,
      ),
    });
    const run = () => grid(["run", "p.yaml", ...LAB], { cwd: folder.path, within: enter });
    const open = await run();
    assert.equal(open.code, 0, open.stderr);
    assert.match(open.stderr, /\[2 node3\] sum 6 of rank 2/);
    assert.deepEqual(linesOf(ran), ["ran", "ran", "ran"]);
    const [main, , third] = machines;
    const wall = ["from", third?.host ?? "", "ipproto", "tcp", "dport", "10000-32767"];
    // What is for this machine itself is looked up first, unless that is told to come later.
    main?.ip("rule", "add", "pref", "20", "from", "all", "lookup", "local");
    main?.ip("rule", "del", "pref", "0");
    main?.ip("rule", "add", "pref", "10", ...wall, "blackhole");
    const walled = await run();
    assert.equal(walled.code, 3, walled.stderr);
    assert.match(
      walled.stderr,
      /rank 2 on "node3" cannot reach rank 0 on "node1" \(10\.77\.0\.1\) port \d+: timed out/,
    );
    assert.deepEqual(linesOf(ran).length, 3, "nothing has run");
  },
);

testWith(
  ["sshd", "root", "unshare", "ip", "python3"],
  "a machine whose link was cut has nothing of its gang when it is back",
  async () => {
    await using wire = await wireMachines(3);
    const { machines, enter } = wire;
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0, machines });
    const ports = join(lab.folder, "ports");
    using folder = gangProject(lab, {
      "p.yaml": marked(
        lab,
        `name: cut
steps:
  - id: all
    nodes: 2
    env: { MARK: "LAB", WAIT: "\${{ attempt == 1 ? '1000' : '0' }}" }
    node: { exclude: ["\${{ attempt == 1 ? 'node3' : 'nobody' }}"] }
    timeout: { kill-grace: 500ms }
    retry: { max: 1, on: [node-lost], avoid-node: true, delay: 100ms }
    run: echo "$GRID_ATTEMPT $GRID_NODE $GRID_MAIN_PORT" >> ${ports}; sleep $WAIT; MEET
`,
      ),
    });
    await using run = startGrid(["run", "p.yaml", ...LAB], { cwd: folder.path, within: enter });
    await until(() => linesOf(ports).length === 2, { what: "both ranks" });
    machines[1]?.link("down");
    const { code, stderr } = await run.ended;
    machines[1]?.link("up");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /rank 1 on "node2"/);
    const ran = linesOf(ports).map((line) => line.split(" "));
    assert.deepEqual(ran.map(([, node]) => node), ["node1", "node2", "node1", "node3"]);
    assert.notEqual(ran[0]?.[2], ran[2]?.[2]);
    await until(() => processesWith(`MARK=${lab.folder}`).length === 0, { what: "the end there" });
  },
);
