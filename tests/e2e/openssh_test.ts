/** The program over `transport: openssh`, from trust to a pipeline's results. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { allProcesses } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const PIPELINE = `
name: there and back
steps:
  - id: code
    sync: { from: code, to: all }
  - id: work
    needs: code
    matrix: { n: [1, 2, 3, 4, 5, 6], max-parallel: 6 }
    node: node2
    run: cat input.txt >result.\${{ matrix.n }}; echo "did \${{ matrix.n }}"
  - id: results
    needs: work
    fetch: { node: node2, from: ["result.*"], to: results }
`;

testWith(
  ["sshd"],
  "a pipeline syncs, runs and fetches by openssh with one login each",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    const [, second] = lab.nodes;
    assert.ok(second);
    Deno.writeTextFileSync(lab.knownHosts, "");
    const fingerprints = lab.nodes.map(({ name, hostKeyFile }) => {
      const { stdout } = new Deno.Command("ssh-keygen", { args: ["-l", "-f", hostKeyFile] })
        .outputSync();
      return `${name} ${/SHA256:\S+/.exec(new TextDecoder().decode(stdout))?.[0]}\n`;
    });
    using folder = project({
      "lab.yaml": labConfig({ lab, rayMode: "embedded", transport: "openssh" }),
      "pipeline.yaml": PIPELINE,
      "fingerprints": fingerprints.join(""),
      "code/input.txt": "brought\n",
    });
    using sockets = tempDir();
    const options = { cwd: folder.path, env: { TMPDIR: sockets.path } };
    const unknown = await grid(["run", "true", "--node", "node2", "--config", "lab.yaml"], options);
    assert.equal(unknown.code, 3, unknown.stderr);
    assert.match(unknown.stderr, /host key is not known.*grid trust node2/s);
    const trust = await grid(
      ["trust", "--yes", "--fingerprints", "fingerprints", "--config", "lab.yaml"],
      options,
    );
    assert.match(trust.stderr, /added 2 keys/);
    const run = await grid(["run", "pipeline.yaml", "--config", "lab.yaml"], options);
    assert.equal(run.code, 0, run.stderr);
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const path = join(folder.path, "results", `result.${n}`);
      assert.equal(Deno.readTextFileSync(path), "brought\n");
    }
    assert.deepEqual(lab.nodes.map((node) => node.acceptedLogins()), [1, 1]);
    const left = allProcesses().filter(({ command }) => command.includes(sockets.path));
    assert.deepEqual(left, []);
    assert.deepEqual([...Deno.readDirSync(sockets.path)], []);
  },
);
