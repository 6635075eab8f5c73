import { describeShells } from "../../../support/job_shells.ts";

describeShells(["busybox", "busybox-static"]);
