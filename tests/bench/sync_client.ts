/** A program that syncs one folder and ends: what `sync_bench.ts` times from start to exit. */
import { createPool } from "../../src/transport/pool.ts";
import type { Endpoint } from "../../src/transport/transport.ts";
import { syncFolders } from "../../src/sync/folders.ts";

export interface ClientJob {
  readonly source: string;
  readonly cacheFolder: string;
  /** Connect before the clock starts, as a step in the middle of a run finds it. */
  readonly isConnected: boolean;
  readonly targets: readonly { readonly endpoint: Endpoint; readonly root: string }[];
}

const job: ClientJob = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? ""));
await using pool = createPool({ handshakes: 10 });
const targets = job.targets.map(({ endpoint, root }) => ({
  node: endpoint.name,
  transport: pool.transport(endpoint),
  root,
}));
if (job.isConnected) await Promise.all(targets.map((target) => target.transport.exec(":")));
/** Milliseconds when the last node had come so far, in the order in which that was. */
const phases = new Map<string, number>();
const start = performance.now();
const results = await syncFolders(targets, {
  source: job.source,
  as: "app",
  exclude: [".git", "__pycache__", ".env", "*.pyc", "node_modules", ".next"],
  excludeFrom: undefined,
  useChecksums: true,
  followSymlinks: false,
  delete: true,
  maxParallelTransfers: 5,
  cacheFolder: job.cacheFolder,
  phase(name) {
    phases.delete(name);
    phases.set(name, performance.now() - start);
  },
  signal: AbortSignal.timeout(600_000),
});
for (const result of results) if (!result.ok) throw result.error;
/** Kilobytes; Linux alone tells. */
const peak = /VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
console.log(`${performance.now() - start} ${peak} ${JSON.stringify([...phases])}`);
