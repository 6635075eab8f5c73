import { createLocalTransport } from "../../../src/transport/local.ts";
import { describeJobs } from "../../support/job_contract.ts";
import { localEndpoint } from "../../support/local_node.ts";
import { tempDir } from "../../support/temp_dir.ts";

describeJobs("local job", {
  test: (name, run) => Deno.test(name, run),
  // deno-lint-ignore require-await
  open: async () => {
    const folder = tempDir();
    const transport = createLocalTransport(localEndpoint());
    return {
      transport,
      root: folder.path,
      [Symbol.asyncDispose]: async () => {
        await transport[Symbol.asyncDispose]();
        folder[Symbol.dispose]();
      },
    };
  },
});
