/** Start-up files of an account: slow and noisy ones are paid once, not per command. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { followAll, jobSpec } from "../../support/job_contract.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";

testWith(["sshd", "bash"], "a .bashrc that sleeps and prints is paid once per run", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  Deno.mkdirSync(node.root, { recursive: true });
  const runs = join(node.home, "bashrc_runs");
  Deno.writeTextFileSync(
    join(node.home, ".bashrc"),
    `echo run >>${runs}; echo "Welcome to the machine"; echo warning >&2; sleep 0.2\n`,
  );
  await using pool = createPool({ handshakes: 1 });
  const transport = pool.transport(node.endpoint);
  const place = { transport, root: node.root, [Symbol.asyncDispose]: () => Promise.resolve() };
  for (let round = 0; round < 20; round++) {
    const { stdout, stderr } = await transport.exec(`echo ${round}`);
    assert.deepEqual({ stdout, stderr }, { stdout: `${round}\n`, stderr: "" });
  }
  const follow = async (command: string, expected: string) => {
    const job = await startJob(transport, jobSpec(place, { command }));
    const { exit, stdout, stderr } = await followAll(job);
    assert.deepEqual({ exit, stdout, stderr }, {
      exit: { kind: "code", code: 0 },
      stdout: expected,
      stderr: "",
    });
    await job.remove();
  };
  await follow("echo quick", "quick\n");
  await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      await follow(`echo ${n}; sleep 2; echo long`, `${n}\nlong\n`);
    }),
  );
  await follow("echo quick again", "quick again\n");
  // A further shell is opened where the turn is long in coming, as on a busy machine.
  const { channels } = transport.stats;
  assert.equal(Deno.readTextFileSync(runs), "run\n".repeat(channels));
  assert.ok(channels <= 2, `${channels} channels for 34 commands`);
});

testWith(["sshd", "zsh"], "a .bashrc that starts another shell is told, not believed", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  const line = '[ -n "$ZSH_DONE" ] || { export ZSH_DONE=1; exec zsh; }\n';
  Deno.writeTextFileSync(join(node.home, ".bashrc"), line);
  await using pool = createPool({ handshakes: 1 });
  await assert.rejects(pool.transport(node.endpoint).exec("echo hello"), {
    code: "shell",
    message: /another program answers in place of its \/bin\/sh/,
    hint: /~\/\.bashrc/,
  });
});
