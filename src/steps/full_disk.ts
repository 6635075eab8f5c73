/** What to do about a command that failed on a full disk: what it had to say of that found no room either. */
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import type { JobSpec } from "../transport/job/job.ts";

export interface FullDiskOptions {
  readonly node: OpenNode;
  readonly spec: Pick<JobSpec, "root" | "id">;
  readonly signal: AbortSignal;
}

/** Asks the node; nothing where there is room, or where it does not answer. */
export async function fullDiskHint(
  { node: { node, transport }, spec, signal }: FullDiskOptions,
): Promise<{ readonly hint?: string }> {
  // It goes with the job's files, whatever ends this. One that cannot be made at all tells nothing of room.
  const file = quote(`${spec.root}/.grid/jobs/${spec.id}.value.room`);
  const look = `umask 077; : >${file} || exit 0; printf x >${file} || echo full; rm -f ${file}`;
  try {
    const { stdout } = await transport.exec(`(${look}) 2>/dev/null`, { signal });
    if (stdout.trim() !== "full") return {};
  } catch (error) {
    if (error instanceof GridError || signal.aborted) return {};
    throw error;
  }
  const hint =
    `the disk of ${spec.root} on ${node.name} is full: what the command printed at last is ` +
    `lost, and that may be why it failed; make room there: df -h ${quote(spec.root)}`;
  return { hint };
}
