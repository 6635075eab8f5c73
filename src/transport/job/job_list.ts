/** What Grid left on a node. */
import { GridError } from "../../core/errors.ts";
import { quoteAll } from "../../core/shell.ts";
import type { JobListing } from "./job.ts";
import { clockShifts } from "./job_birth.ts";
import { parseState } from "./job_state.ts";
import { jobLibrary } from "./job_script.ts";
import type { Transport } from "../transport.ts";

/**
 * Every job whose files are still there, oldest first.
 *
 * @param root absolute `remote_root`
 * @throws {GridError} a transport code
 */
export async function listJobs(
  transport: Transport,
  root: string,
): Promise<readonly JobListing[]> {
  const result = await transport.exec(`grid_list ${quoteAll([root])}`, {
    library: jobLibrary(),
  });
  if (result.code !== 0) {
    throw new GridError({
      code: "workspace",
      message: `Cannot list jobs on "${transport.endpoint.name}": ${result.stderr.trim()}`,
      node: transport.endpoint.name,
    });
  }
  const shiftOf = clockShifts(result.stdout);
  return result.stdout.split("\n").filter((line) => line !== "")
    .flatMap((line) => parseLine(line, transport.endpoint.name) ?? [])
    .map((job) => ({ ...job, startedAt: job.startedAt + shiftOf(job) }))
    .sort((a, b) => a.startedAt - b.startedAt);
}

export interface RemoveOptions {
  /** Absolute `remote_root`. */
  readonly root: string;
  readonly ids: readonly string[];
  /** Those that `pruneJobs` would remove, too. */
  readonly withOld?: boolean;
}

/**
 * Removes the files of jobs that ended, all in one call; those that are gone already are fine.
 *
 * @throws {GridError} `workspace` naming the jobs that still run; a transport code
 */
export async function removeJobs(
  transport: Transport,
  { root, ids, withOld = false }: RemoveOptions,
): Promise<void> {
  const { name } = transport.endpoint;
  const remove = `grid_remove ${quoteAll([root, ...ids])}`;
  const prune = `grid_prune ${quoteAll([root, String(KEEP_MINUTES), "remove"])} >/dev/null`;
  const { code, stdout, stderr } = await transport.exec(
    withOld ? `${remove}; grid_removed=$?; ${prune}; (exit "$grid_removed")` : remove,
    { library: jobLibrary() },
  );
  if (code === 0) return;
  throw new GridError({
    code: "workspace",
    message: `Cannot remove jobs on "${name}": ${(stderr + stdout).trim().replaceAll("\n", ", ")}`,
    hint: "grid ps shows them, grid kill ends them",
    node: name,
  });
}

/** That the files of an ended job wait for a runner that takes over: a week. */
const KEEP_MINUTES = 7 * 24 * 60;

export interface PruneOptions {
  /** Since they ended; default a week. */
  readonly minutes?: number;
  /** Only say which. */
  readonly dryRun?: boolean;
}

/**
 * Removes the files of jobs that ended long ago and that no runner came back for.
 *
 * @returns their ids
 * @throws {GridError} a transport code
 */
export async function pruneJobs(
  transport: Transport,
  root: string,
  { minutes = KEEP_MINUTES, dryRun = false }: PruneOptions = {},
): Promise<readonly string[]> {
  const words = [root, String(minutes), dryRun ? "look" : "remove"];
  const { stdout } = await transport.exec(`grid_prune ${quoteAll(words)}`, {
    library: jobLibrary(),
  });
  return stdout.split("\n").filter((line) => line !== "");
}

/**
 * Id, kind, start, state, process numbers; undefined for what is no job of ours, such as an empty file.
 */
function parseLine(line: string, node: string): JobListing | undefined {
  const match = LISTED.exec(line);
  if (match === null) return undefined;
  const [, id = "", kind, started, state = "", pids = ""] = match;
  const parsed = parseState(state, { node, job: id });
  const exit = parsed.kind === "ended" ? parsed.exit : undefined;
  if (parsed.kind !== "ended" && Number(started) === 0 && pids.trim() === "") return undefined;
  return {
    id,
    state: parsed.kind === "ended" ? "ended" : "running",
    exitCode: exit?.kind === "code" ? exit.code : undefined,
    startedAt: Number(started),
    detached: kind === "detached",
    ...(kind === "service" && { service: true }),
    pids: pids.split(" ").filter((pid) => /^\d{1,10}$/.test(pid)).map(Number),
  };
}

const LISTED =
  /^([A-Za-z0-9_][A-Za-z0-9._-]{0,254})\t(detached|leased|service|-)\t(\d{1,16})\t([a-z][^\t]{0,200})\t([\d ]*)$/;
