import { ORDINARY_UID } from "../../../support/account_transport.ts";
import { describeKill } from "../../../support/job_kill_contract.ts";
import { describeLease } from "../../../support/job_lease_contract.ts";
import { openAccountNode, openLocalNode, withLauncher } from "../../../support/job_nodes.ts";
import { testWith } from "../../../support/requires.ts";

const test = (name: string, run: () => Promise<void>) => Deno.test(name, run);

describeKill(`local job of uid ${Deno.uid()}`, { test, open: openLocalNode });
describeLease("local job", { test, open: openLocalNode });

describeKill("local job of an ordinary account", {
  test: (name, run) => testWith(["root"], name, run),
  open: () => openAccountNode({ uid: ORDINARY_UID }),
});

describeKill("local job that a launcher started", {
  test: (name, run) => testWith(["perl"], name, run),
  open: withLauncher(openLocalNode),
});
