/** The programs by which jobs claim, run as a node runs them: in any shell, with processes of their own. */
import { type NodeWork, parseWork } from "../../src/cluster/claim.ts";
import { quote } from "../../src/core/shell.ts";
import { nodeProgram } from "../../src/transport/node_program.ts";
import { findProgram } from "./requires.ts";

/** Every shell of this machine that a node may have as its `sh`. */
export const SHELLS: readonly (readonly string[])[] = [["dash"], ["bash"], ["busybox", "sh"]]
  .filter(([program]) => findProgram(program ?? ""));

const base = new URL("../../src/cluster/", import.meta.url).href;

export function programs(...names: readonly string[]): string {
  return names.map((name) => nodeProgram(name, base)).join("");
}

export interface ClaimNode {
  /** Stands for the folder that all accounts of the node share. */
  readonly folder: string;
  readonly shell?: readonly string[];
}

export interface ClaimOptions {
  readonly job: string;
  readonly gpus?: number;
  readonly group?: string;
  readonly share?: boolean;
  readonly pairs?: readonly string[];
  /** The file that `$GRID_OUTPUT` names. */
  readonly output?: string;
}

/** A job's first line. */
export function jobPrelude(options: ClaimOptions): string {
  const { job, gpus = 1, group, share = false, pairs, output = "/dev/null" } = options;
  const yes = share ? "yes" : "no";
  const words = `60 run-1 step-1 project-1 owner-1 ${group ?? job} ${yes} - -`;
  const wish = [gpus, group ?? job, yes, ...(pairs ?? ["GPU-a=0=GPU-a", "GPU-b=1=GPU-b"])];
  return `GRID_OUTPUT=${output}; grid_words=${quote(words)}; grid_wish=${quote(wish.join(" "))}
${programs("claims.sh", "claims_read.sh", "claim.sh", "claim_job.sh")}`;
}

/** Starts a job in a session of its own, as the job's supervisor does. */
export function startJob(
  { folder, shell = ["sh"] }: ClaimNode,
  { script, ...options }: ClaimOptions & { readonly script: string },
): Deno.ChildProcess {
  return new Deno.Command("setsid", {
    args: [...shell, "-c", `${jobPrelude(options)}\n${script}`],
    env: { GRID_LEASE_DIR: folder, GRID_JOB: options.job },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** What a probe would tell. */
export async function workOn(node: ClaimNode): Promise<NodeWork> {
  const work = parseWork((await tellWork(node)).split("\n"));
  if (!work.isWhole) throw new Error("the node did not tell its claims");
  return work;
}

/** The same as the node tells it. */
export async function tellWork({ folder, shell = ["sh"] }: ClaimNode): Promise<string> {
  const [program = "sh", ...args] = shell;
  const { stdout } = await new Deno.Command(program, {
    args: [
      ...args,
      "-c",
      `${programs("claims.sh", "claims_read.sh")}\ngrid_claims_read all - - no`,
    ],
    env: { GRID_LEASE_DIR: folder },
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

/** The GPUs that are held, in order. */
export async function heldGpus(node: ClaimNode): Promise<string[]> {
  const { claims } = await workOn(node);
  return claims.filter(({ isTrying }) => !isTrying).flatMap(({ gpus }) => gpus).toSorted();
}
