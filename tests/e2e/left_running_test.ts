/** What a step leaves running is there for later steps and hooks, and gone with the run. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { allProcesses } from "../support/processes.ts";

const CONFIG = "nodes: [{ name: here, transport: local }]\nremote_root: workspace\n";

interface Report {
  readonly run: string;
  readonly warnings: readonly string[];
}

/** A number that no other process sleeps for. */
function randomSeconds(): number {
  return 1e7 + Math.floor(Math.random() * 1e7);
}

function sleepers(seconds: number): readonly number[] {
  return allProcesses().filter(({ command }) => command === `sleep ${seconds}`)
    .map(({ pid }) => pid);
}

for (
  const { name, fails } of [{ name: "succeeds", fails: "" }, { name: "fails", fails: "; exit 3" }]
) {
  Deno.test(`what steps left running ends with a run that ${name}, in a warning`, async () => {
    const [server, setsid] = [randomSeconds(), randomSeconds()];
    using home = project({
      "cluster.yaml": CONFIG,
      "p.yaml": `name: left
steps:
  - { id: bg, node: here, run: "sleep ${server} & echo started" }
  - { id: own, node: here, run: "setsid nohup sleep ${setsid} >/dev/null 2>&1 & echo started" }
  - { id: use, node: here, needs: [bg, own], run: "${check(server)}${fails}" }
hooks:
  exit: [{ node: here, run: "${check(server)}" }]
`,
    });
    const { code, stdout, stderr } = await grid(
      ["run", "p.yaml", "--json", "--config", "cluster.yaml"],
      { cwd: home.path },
    );
    assert.equal(code, fails === "" ? 0 : 1, stderr);
    const { run, warnings }: Report = JSON.parse(stdout);
    assert.deepEqual([...warnings].sort(), [
      `bg: left running: sleep ${server}; ended`,
      `own: left running: sleep ${setsid}; ended`,
    ]);
    assert.deepEqual([...sleepers(server), ...sleepers(setsid)], []);
    const events = Deno.readTextFileSync(join(home.path, ".grid", "runs", run, "events.jsonl"));
    assert.match(events.trim().split("\n").at(-1) ?? "", /run.finished/);
  });
}

function check(seconds: number): string {
  // The brackets keep the look itself from being found.
  return `pgrep -f 'slee[p] ${seconds}'`;
}
