import { describeJobs, describePruning } from "../../../support/job_contract.ts";
import { openLocalNode } from "../../../support/job_nodes.ts";

const test = (name: string, run: () => Promise<void>) => Deno.test(name, run);

describeJobs("local job", { test, open: openLocalNode });
describePruning("local job", { test, open: openLocalNode });
