import { createPool } from "../../../src/transport/pool.ts";
import { describeJobs } from "../../support/job_contract.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";

describeJobs("job over OpenSSH", {
  test: (name, run) => testWith(["sshd"], name, run),
  open: async () => {
    const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const pool = createPool({ handshakes: 10 });
    const [node] = lab.nodes;
    if (!node) throw new Error("the lab has no node");
    Deno.mkdirSync(node.root, { recursive: true });
    return {
      transport: pool.transport(node.endpoint),
      root: node.root,
      [Symbol.asyncDispose]: async () => {
        await pool[Symbol.asyncDispose]();
        await lab[Symbol.asyncDispose]();
      },
    };
  },
});
