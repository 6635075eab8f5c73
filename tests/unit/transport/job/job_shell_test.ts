import { describeScripts, describeShells } from "../../../support/job_shells.ts";

describeShells(["dash", "bash"]);
describeScripts();
