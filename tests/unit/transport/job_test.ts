import { describeJobs } from "../../support/job_contract.ts";
import { openLocalNode } from "../../support/job_nodes.ts";

describeJobs("local job", { test: (name, run) => Deno.test(name, run), open: openLocalNode });
