/** The clocks of this machine and of a node may be hours apart: ages, limits and times shown stay right. */
import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findFaketime, testWith } from "../support/requires.ts";

const AHEAD_MS = 7_200_000;

testWith(
  ["sshd", "faketime"],
  "a run that was submitted to a node whose clock is two hours behind is as old as it is",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    using folder = project({
      "p.yaml": "name: p\nsteps: [{ id: a, run: echo done }]\n",
      "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    });
    const options = {
      cwd: folder.path,
      env: {
        LD_PRELOAD: findFaketime() ?? "",
        FAKETIME: `+${AHEAD_MS / 1000}`,
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      },
    };
    const ask = (...words: readonly string[]) => grid([...words, "--config", "lab.yaml"], options);
    const before = Date.now() + AHEAD_MS;
    const submitted = await ask("submit", "--on", "node1", "p.yaml");
    assert.equal(submitted.code, 0, submitted.stderr);
    const attached = await ask("attach", "last");
    assert.equal(attached.code, 0, attached.stderr);
    const [run] = JSON.parse((await ask("runs", "--json")).stdout).runs;
    const startedAt = Date.parse(run.startedAt);
    assert.ok(startedAt > before - 5000, `${run.startedAt}`);
    assert.ok(startedAt < Date.now() + AHEAD_MS + 5000, `${run.startedAt}`);
    const young = await ask("clean", "--nodes", "--older", "1h", "--dry-run");
    assert.equal(young.code, 0, young.stderr);
    assert.doesNotMatch(young.stdout + young.stderr, /submitted/);
    const all = await ask("clean", "--nodes", "--older", "1ms", "--dry-run");
    assert.match(all.stdout + all.stderr, /submitted/);
  },
);
