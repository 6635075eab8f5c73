/** The lines of docs/environments.md, over OpenSSH, where nobody logs in: each must do what it says there. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { Shell } from "../../../src/pipeline/pipeline.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { REPOSITORY } from "../../support/cli.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { recordHost, stepRequest } from "../../support/step_rig.ts";

const PAGE = Deno.readTextFileSync(join(REPOSITORY, "docs/environments.md"));

interface Wish {
  readonly before?: readonly string[];
  readonly run: string;
  readonly shell?: Shell;
  readonly env?: Readonly<Record<string, string>>;
}

/** One node over OpenSSH; what a step prints there, and how it ends. */
async function openNode() {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [{ name, endpoint, root, home } = { name: "", endpoint: undefined, root: "", home: "" }] =
    lab.nodes;
  assert.ok(endpoint);
  Deno.mkdirSync(root, { recursive: true });
  const pool = createPool({ handshakes: 1 });
  const node: OpenNode = {
    node: { name, endpoint, labels: [], gpus: undefined, remoteRoot: root },
    transport: pool.transport(endpoint),
    root,
    home,
  };
  const cluster = {
    open: () => Promise.resolve(node),
    select: () => Promise.reject(new Error("nothing is chosen")),
    claim: () => Promise.resolve({ prelude: "" }),
  };
  return {
    home,
    root,
    async run({ run, isMistaken = false, ...wish }: Wish & { readonly isMistaken?: boolean }) {
      // A line that the page does not show is not its promise.
      for (const line of isMistaken ? [] : wish.before ?? []) {
        assert.ok(PAGE.includes(line), `${line} is not there`);
      }
      await using step = createRunStep({ cluster });
      const host = recordHost();
      const outcome = await step.run(stepRequest({ action: { kind: "run", run }, ...wish }), host);
      return {
        ...host.printed,
        failure: outcome.status === "failed" ? outcome.failure : undefined,
      };
    },
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

testWith(
  ["sshd", "bash", "python3", "uv", "modules"],
  "venv, uv and modules, as the page says",
  async (t) => {
    await using node = await openNode();

    await t.step("venv, also under set -u, and a venv that is not there", async () => {
      const made = await node.run({ run: "/usr/bin/python3 -m venv --without-pip .venv" });
      assert.equal(made.failure, undefined, made.stderr);
      const run = 'python -c "import sys; print(sys.prefix)"';
      const there = await node.run({ before: ["set -u", ". .venv/bin/activate"], run });
      assert.equal(there.stdout, `${node.root}/.venv\n`, there.stderr);
      Deno.removeSync(join(node.root, ".venv"), { recursive: true });
      const gone = await node.run({ before: [". .venv/bin/activate"], run });
      assert.match(gone.failure?.message ?? "", /did not begin: \. \.venv\/bin\/activate$/);
      assert.equal(gone.failure?.started, false);
    });

    await t.step("uv run: with what is there, and the code of a command that is not", async () => {
      const uv = findProgram("uv") ??
        join(Deno.env.get("GRID_TEST_UV_VENV") ?? "/opt/grid-uv-venv", "bin/uv");
      const env = { PATH: `${uv.slice(0, uv.lastIndexOf("/"))}:/usr/bin:/bin`, UV_OFFLINE: "1" };
      const good = await node.run({ env, run: 'uv run --no-project python -c "print(6 * 7)"' });
      assert.equal(good.stdout, "42\n", good.stderr);
      const bad = await node.run({ env, run: "uv run --no-project tool-of-nobody" });
      assert.equal(bad.failure?.exitCode, 2);
      assert.match(bad.failure?.hint ?? "", /"tool-of-nobody" is not in the environment/);
    });

    await t.step("module: by its line, by bash -l, and what is said without either", async () => {
      const files = join(node.home, "modules");
      Deno.mkdirSync(files);
      Deno.writeTextFileSync(join(files, "cuda"), "#%Module\nsetenv CUDA_HOME /opt/cuda\n");
      const env = { MODULEPATH: files };
      const run = 'echo "$CUDA_HOME"';
      const before = [". /etc/profile.d/modules.sh", "module load cuda"];
      assert.equal((await node.run({ before, env, run })).stdout, "/opt/cuda\n");
      const login = await node.run({ before: ["module load cuda"], shell: "bash -l", env, run });
      assert.equal(login.stdout, "/opt/cuda\n", login.stderr);
      const lacking = await node.run({ run: "module load cuda" });
      assert.equal(lacking.failure?.exitCode, 127);
      assert.match(
        lacking.failure?.hint ?? "",
        /before: \[\. \/etc\/profile\.d\/modules\.sh, module load/,
      );
      const unknown = await node.run({ before, env: { MODULEPATH: node.home }, run });
      assert.match(
        unknown.failure?.message ?? "",
        /failed with code 1, so it did not begin: module load cuda$/,
      );
    });

    await t.step(
      "bash -l behind Debian's own logout file: code, stdout and PATH stay right",
      async () => {
        for (const file of [".bash_logout", ".profile"]) {
          const skeleton = `/etc/skel/${file}`;
          if (existsSync(skeleton)) Deno.copyFileSync(skeleton, join(node.home, file));
        }
        Deno.writeTextFileSync(join(node.home, ".profile"), "echo welcome\n", { append: true });
        for (const code of [0, 5]) {
          const ended = await node.run({
            shell: "bash -l",
            env: { HOME: node.home },
            run: `echo "$PATH" | cut -d: -f1; exit ${code}`,
          });
          assert.equal(ended.stdout, `${node.root}/grid_env/bin\n`);
          assert.equal(ended.failure?.exitCode, code === 0 ? undefined : code);
          assert.match(ended.stderr, /welcome/);
        }
      },
    );
  },
);

Deno.test({
  name: "conda, as the page says (where /opt/conda is)",
  ignore: !existsSync("/opt/conda/bin/conda"),
  async fn() {
    await using node = await openNode();
    const run = 'echo "$CONDA_PREFIX"';
    for (
      const before of [
        [". /opt/conda/bin/activate base"],
        [". /opt/conda/etc/profile.d/conda.sh", "conda activate base"],
        ["hook=$(/opt/conda/bin/conda shell.bash hook)", 'eval "$hook"', "conda activate base"],
      ]
    ) assert.equal((await node.run({ before, run })).stdout, "/opt/conda\n");
    const before = [". /opt/conda/bin/activate nobody"];
    const missing = await node.run({ before, run, isMistaken: true });
    assert.match(missing.failure?.message ?? "", /did not begin/);
  },
});
