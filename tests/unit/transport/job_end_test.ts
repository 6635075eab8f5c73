import { ORDINARY_UID, transportAs } from "../../support/account_transport.ts";
import { describeKill } from "../../support/job_kill_contract.ts";
import { describeLease } from "../../support/job_lease_contract.ts";
import { openLocalNode } from "../../support/job_nodes.ts";
import { tempDir } from "../../support/temp_dir.ts";

const test = (name: string, run: () => Promise<void>) => Deno.test(name, run);

describeKill(`local job of uid ${Deno.uid()}`, { test, open: openLocalNode });
describeLease("local job", { test, open: openLocalNode });

describeKill("local job of an ordinary account", {
  test: (name, run) => Deno.test({ name, ignore: Deno.uid() !== 0, fn: run }),
  // deno-lint-ignore require-await
  open: async () => {
    const folder = tempDir();
    Deno.chownSync(folder.path, ORDINARY_UID, ORDINARY_UID);
    const transport = transportAs(ORDINARY_UID);
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
