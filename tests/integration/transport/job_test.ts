import { describeJobs, describePruning } from "../../support/job_contract.ts";
import { describeKill } from "../../support/job_kill_contract.ts";
import { describeLease } from "../../support/job_lease_contract.ts";
import { openSshNode } from "../../support/job_nodes.ts";
import { findAccount, testWith } from "../../support/requires.ts";

const sshNode = () => openSshNode();
const test = (name: string, run: () => Promise<void>) => testWith(["sshd"], name, run);

describeJobs("job over OpenSSH", { test, open: sshNode });
describePruning("job over OpenSSH", { test, open: sshNode });
describeKill("job over OpenSSH", { test, open: sshNode });
describeLease("job over OpenSSH", { test, open: sshNode });

describeKill("job of an ordinary account over OpenSSH", {
  test: (name, run) => testWith(["sshd", "account"], name, run),
  open: () => openSshNode(findAccount()),
});
