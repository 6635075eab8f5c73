/** The process that becomes a batch's driver; it starts while the driver and its tasks are on their way. */
import { getLogger } from "../core/log.ts";
import { quote, quoteAll } from "../core/shell.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { Job } from "../transport/job/job.ts";
import { startJob } from "../transport/job/job_start.ts";
import type { BatchStart } from "./batch.ts";
import { bootSource } from "./driver_source.ts";
import type { DriverPaths } from "./driver_spec.ts";
import { pathPrefixOf } from "./driver_upload.ts";

export interface BootOptions {
  readonly head: OpenNode;
  /** Whether the driver needs Ray, which takes it long to load. */
  readonly usesRay: boolean;
  readonly start: BatchStart;
  /** For the driver alone, beyond what the batch asks for. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute folder that the process starts in. */
  readonly cwd: string;
}

/** By name: Ray and `ps` show the command. */
const BOOT_NAME = "GRID_BOOT";
const BOOT = `import os; exec(os.environ.pop("${BOOT_NAME}"))`;

/** @throws {GridError} what `startJob` throws */
export async function startBoot(
  { head, usesRay, start, env, cwd }: BootOptions,
  { driver, spec }: Pick<DriverPaths, "driver" | "spec">,
): Promise<Job> {
  const ofRay = Object.keys({ ...start.env, ...start.secrets }).filter((name) =>
    name.startsWith("RAY_")
  );
  const words = usesRay ? ["python3", "-uc", BOOT, "ray", ...ofRay] : ["python3", "-c", BOOT];
  // From its start on it bears the mark of what the batch leaves behind, and so do the workers that it forks.
  const mark = usesRay ? "" : `GRID_BATCH=${quote(start.id)} `;
  return await startJob(head.transport, {
    ...identityOf(head, start),
    command: `${start.prelude ?? ""}${ownPackages(start, usesRay)}${mark}exec ${
      quoteAll([...words, driver, spec])
    }`,
    shell: "sh",
    cwd,
    env: { ...start.env, ...env, [BOOT_NAME]: bootSource() },
    secrets: start.secrets,
    pathPrefix: pathPrefixOf(head),
    detach: start.detach ?? false,
  });
}

/** A batch whose runner is gone ends after this long, unless its spec says otherwise. */
const LEASE_MS = 300_000;

export function identityOf(head: OpenNode, { id, leaseMs = LEASE_MS }: BatchStart) {
  return { id, root: head.root, leaseMs };
}

/** On Ray, start-up files of the account bring no other Python's packages; the step's own words do. */
function ownPackages({ env, secrets }: BatchStart, usesRay: boolean): string {
  if (!usesRay) return "";
  return ["PYTHONPATH", "PYTHONHOME"].filter((name) => !(name in env || name in secrets))
    .map((name) => `unset ${name}; `).join("");
}

/** What it should do will not come. */
export async function giveUp(job: Job): Promise<void> {
  try {
    await job.kill({ graceMs: 0 });
    await job.remove();
  } catch (error) {
    getLogger("ray").debug(`${error}`); // it ends with its lease
  }
}
