/** `job.sh` in every shell that a node may have as its `/bin/sh`. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describeJobs } from "../../../support/job_contract.ts";
import { openAccountNode } from "../../../support/job_nodes.ts";
import { type Part, testWith } from "../../../support/requires.ts";

const SCRIPTS = ["job.sh", "job_turn.sh", "job_mask.sh", "job_tree.sh"].map((name) =>
  fileURLToPath(new URL(`../../../../src/transport/job/${name}`, import.meta.url))
);
const SHELLS: readonly (readonly [Part, ...string[]])[] = [
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "ash"],
];

for (const shell of SHELLS) {
  describeJobs(`job under ${shell.join(" ")}`, {
    test: (name, run) => testWith([shell[0]], name, run),
    open: () => openAccountNode({ shell }),
  });
}

testWith(["shellcheck"], "the scripts have nothing that shellcheck objects to", async () => {
  const { success, stdout } = await new Deno.Command("shellcheck", {
    args: ["--shell=sh", ...SCRIPTS],
  }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
});
