import { describeJobs, describePruning } from "../../support/job_contract.ts";
import { describeKill } from "../../support/job_kill_contract.ts";
import { describeLease } from "../../support/job_lease_contract.ts";
import { openSshNode } from "../../support/job_nodes.ts";
import { testWith } from "../../support/requires.ts";

const test = (name: string, run: () => Promise<void>) => testWith(["sshd"], name, run);

describeJobs("job over OpenSSH", { test, open: openSshNode });
describePruning("job over OpenSSH", { test, open: openSshNode });
describeKill("job over OpenSSH", { test, open: openSshNode });
describeLease("job over OpenSSH", { test, open: openSshNode });
