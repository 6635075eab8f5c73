/** Every shape of process tree dies, whoever the account is and however it is reached. */
import assert from "node:assert/strict";
import { startJob } from "../../src/transport/job/job_start.ts";
import { type ContractNode, type ContractOptions, jobSpec, waitFor } from "./job_contract.ts";
import { PROCESS_TREES, type ProcessTree } from "./process_trees.ts";
import { jobLeaders } from "./job_leaders.ts";
import { allProcesses, descendantsOf, processesWith } from "./processes.ts";

const GRACE_MS = 500;
/** What does not end at the first word is killed after the grace, and not only when its runner gives up. */
const SLACK_MS = 20_000;

export function describeKill(name: string, { open, test }: ContractOptions): void {
  test(`${name}: every tree of processes is dead after the grace`, async () => {
    await using node = await open();
    for (const tree of PROCESS_TREES) await killOne(node, tree);
  });
}

async function killOne(node: ContractNode, tree: ProcessTree): Promise<void> {
  const spec = jobSpec(node, { command: tree.command });
  const job = await startJob(node.transport, spec);
  const pids = () => treePids(node, spec.id);
  await waitFor(() => pids().size === tree.processes).catch(() => {
    throw new Error(`${tree.name}: expected ${tree.processes} processes, found ${pids().size}`);
  });
  const known = pids();
  const start = Date.now();
  const { survivors } = await job.kill({ graceMs: GRACE_MS });
  const tookMs = Date.now() - start;
  assert.deepEqual(survivors, [], tree.name);
  const left = allProcesses().filter(({ pid }) => known.has(pid));
  assert.deepEqual(left, [], tree.name);
  assert.ok(tookMs < GRACE_MS + SLACK_MS, `${tree.name} took ${tookMs} ms`);
  const exit = await job.follow({ signal: new AbortController().signal, onOutput: () => {} });
  // A shell may see that its child was killed before it is killed itself, and end by that.
  const isKilled = exit.kind === "signal" || (exit.kind === "code" && exit.code === 137);
  assert.ok(isKilled, `${tree.name}: ${JSON.stringify(exit)}`);
  await job.remove();
}

function treePids(node: ContractNode, id: string): ReadonlySet<number> {
  const leaders = jobLeaders(node.root).filter(({ job }) => job === id).map(({ pid }) => pid);
  const living = allProcesses().filter(({ pid }) => leaders.includes(pid));
  const roots = [...processesWith(`GRID_JOB=${id}`), ...living];
  const below = roots.flatMap(({ pid }) => descendantsOf(pid));
  return new Set([...roots, ...below].map(({ pid }) => pid));
}
