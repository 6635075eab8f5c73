/**
 * A submitted run whose terminal, client and link to a node are lost one after the other.
 * `GRID_TEST_CUT_SECONDS=60` cuts the link for so long; default 4.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project, startGrid, startInTerminal, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { linesOf } from "../support/gang_rig.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";
import { wireMachines } from "../support/wired_network.ts";

const CUT_MS = 1000 * Number(Deno.env.get("GRID_TEST_CUT_SECONDS") ?? "4");
/** Of lines that the step prints while it can be heard, and while it cannot. */
const PRINTED = /│ (\d+)$/;

testWith(
  ["sshd", "root", "unshare", "ip", "script"],
  "a submitted run ends right, every effect once, whatever is cut: its terminal, who looks on, its node's link",
  async () => {
    await using wire = await wireMachines(1);
    const { machines, enter } = wire;
    const [machine] = machines;
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0, machines });
    const effects = join(lab.folder, "effects");
    const go = join(lab.folder, "go");
    const config = labConfig({ lab, rayMode: "embedded" })
      .replace("connect_timeout: 30", "connect_timeout: 5, keepalive: 1");
    using folder = project({
      "lab.yaml": config,
      "p.yaml": `name: cut
steps:
  - id: counts
    node: node1
    run: |
      echo counts >> ${effects}
      i=0
      while [ ! -e ${go} ]; do i=$((i + 1)); echo $i; sleep 0.02; done
      echo $i > ${effects}.last
  - { id: after, needs: counts, node: node1, run: "echo after >> ${effects}; echo end" }
`,
    });
    const here = { cwd: folder.path, within: enter };
    const words = ["--config", "lab.yaml"];
    const terminal = startInTerminal(["submit", "p.yaml", ...words], here);
    const submitted = await terminal.ended; // hangs up
    assert.equal(submitted.code, 0, submitted.stdout);
    const run = /\d{8}-\d{6}-\w{4}/.exec(submitted.stdout)?.[0] ?? "";
    const looking = startGrid(["attach", run, ...words], here);
    const log = join(folder.path, ".grid", "runs", run, "logs", "counts.1.log");
    await until(() => linesOf(log).length > 20, { what: "some lines" });
    await looking.kill();
    machine?.link("down");
    await new Promise((resolve) => setTimeout(resolve, CUT_MS));
    machine?.link("up");
    Deno.writeTextFileSync(go, "");
    const shown = await grid(["attach", run, ...words], { ...here, timeoutMs: 170_000 });
    assert.equal(shown.code, 0, shown.stderr);
    const last = Number(Deno.readTextFileSync(`${effects}.last`));
    const numbers = shown.stderr.split("\n").flatMap((line) => PRINTED.exec(line)?.[1] ?? []);
    assert.ok(last > CUT_MS / 1000 * 10, `${last}`);
    assert.deepEqual(numbers.map(Number), Array.from({ length: last }, (_, index) => index + 1));
    assert.deepEqual(Deno.readTextFileSync(effects), "counts\nafter\n");
    const show = await grid(["show", run, ...words], here);
    assert.match(show.stdout, /counts +\S* *.*succeeded/s);
  },
);
