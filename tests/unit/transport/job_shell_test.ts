/** `job.sh` in every shell that a node may have as its `/bin/sh`. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describeJobs } from "../../support/job_contract.ts";
import { openAccountNode } from "../../support/job_nodes.ts";
import { findProgram } from "../../support/requires.ts";

const SCRIPT = fileURLToPath(new URL("../../../src/transport/job.sh", import.meta.url));
const SHELLS: readonly (readonly string[])[] = [["dash"], ["bash", "--posix"], ["busybox", "ash"]];

for (const shell of SHELLS) {
  const missing = findProgram(shell[0] ?? "") === undefined;
  describeJobs(`job under ${shell.join(" ")}`, {
    test: (name, run) => Deno.test({ name, ignore: missing, fn: run }),
    open: () => openAccountNode({ shell }),
  });
}

Deno.test({
  name: "job.sh has nothing that shellcheck objects to",
  ignore: findProgram("shellcheck") === undefined,
  fn: async () => {
    const { success, stdout } = await new Deno.Command("shellcheck", {
      args: ["--shell=sh", SCRIPT],
    }).output();
    assert.ok(success, new TextDecoder().decode(stdout));
  },
});
