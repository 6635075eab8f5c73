import { describeBirths, describeJobs, describePruning } from "../../support/job_contract.ts";
import { describeEnding } from "../../support/job_ending_contract.ts";
import { describeInput } from "../../support/job_input_contract.ts";
import { describeLeft } from "../../support/job_left_contract.ts";
import { describeKill } from "../../support/job_kill_contract.ts";
import { describeLease } from "../../support/job_lease_contract.ts";
import { openSshNode, withLauncher } from "../../support/job_nodes.ts";
import { findAccount, testWith } from "../../support/requires.ts";

const test = (name: string, run: () => Promise<void>) => testWith(["sshd"], name, run);

for (const transport of ["ssh", "openssh"] as const) {
  const name = `job over OpenSSH by ${transport}`;
  const open = () => openSshNode({ transport });
  describeJobs(name, { test, open });
  describePruning(name, { test, open });
  describeBirths(name, { test, open });
  describeEnding(name, { test, open });
  describeInput(name, { test, open });
  describeKill(name, { test, open });
  describeLeft(name, { test, open });
  describeLease(name, { test, open });
}

describeJobs("job over OpenSSH that a launcher started", {
  test: (name, run) => testWith(["sshd", "perl"], name, run),
  open: withLauncher(openSshNode),
});

describeKill("job of an ordinary account over OpenSSH", {
  test: (name, run) => testWith(["sshd", "account"], name, run),
  open: () => openSshNode({ account: findAccount() }),
});
