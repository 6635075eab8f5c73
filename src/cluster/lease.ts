/** GPUs for one job: which it may take, and the line that makes it take them. */
import type { Clock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import { formatDuration } from "../core/duration.ts";
import { fittingGpus, lentGpus, whyNot } from "./gpu_choice.ts";
import type { HealthCheck } from "./health.ts";
import { leaseKey, runtimeName } from "./lease_key.ts";
import type { LeaseCallOptions, LeaseWish } from "./lease_wish.ts";
import type { GpuFacts, NodeHealth, OpenNode } from "./node.ts";
import { nodeProgram } from "../transport/node_program.ts";

/** How a job ends that found its GPUs taken, and what it leaves in its output file. */
export const NO_GPU_EXIT = 75;
export const NO_GPU_OUTPUT = "grid: no gpu\n";

/** Between two looks at GPUs that are all taken. */
const POLL_MS = 1000;
/** Somebody else may take a GPU at any moment; a look that is older does not count. */
const MAX_AGE_MS = 1000;

export interface LeaseDeps {
  readonly health: HealthCheck;
  readonly clock: Clock;
}

interface LeaseOptions extends LeaseCallOptions {
  readonly wish: LeaseWish;
}

/**
 * One line of shell to put before a job's script, on the script's own first line. The job's shell
 * claims the GPUs for as long as it lives and sets `CUDA_VISIBLE_DEVICES` and `HIP_VISIBLE_DEVICES`, by
 * the names that the runtime knows, and `GRID_GPUS`, by index; where others were faster it ends with
 * `NO_GPU_EXIT` and `NO_GPU_OUTPUT`.
 *
 * @throws {GridError} `no-node` where not enough GPUs became free in time
 */
export async function leasePrelude(
  open: OpenNode,
  options: LeaseOptions & LeaseDeps,
): Promise<string> {
  const { wish, signal } = options;
  const gpus = await freeGpus(open, options);
  const pairs = gpus.map((gpu) => `${leaseKey(gpu)}=${gpu.index}=${runtimeName(gpu)}`);
  const file = await installScript(open, signal);
  const words = [String(wish.gpus), wish.group, ...pairs].join(" ");
  return `grid_wish=${quote(words)}; . ${quote(file)}; `;
}

async function freeGpus(
  { node }: OpenNode,
  { wish, signal, onWait, health, clock }: LeaseOptions & LeaseDeps,
): Promise<readonly GpuFacts[]> {
  const deadline = clock.monotonic() + wish.waitMs;
  let isTold = false;
  for (let maxAgeMs = MAX_AGE_MS;; maxAgeMs = 0) {
    const [row] = await health.check([node], { maxAgeMs, signal });
    const lent = lentGpus(node, row?.facts?.gpus ?? []);
    const fitting = ofOneMaker(fittingGpus(lent, wish), wish.gpus);
    if (fitting.length >= wish.gpus) return fitting;
    const left = deadline - clock.monotonic();
    const reason = obstacle({ wish, row, lent });
    if (left <= 0) throw noGpu(node.name, { wish, reason });
    if (!isTold) onWait?.(reason);
    isTold = true;
    await clock.sleep(Math.min(POLL_MS, left), { signal });
  }
}

/** A program computes on the cards of one maker; of the first that has enough, else of the best one's. */
function ofOneMaker(gpus: readonly GpuFacts[], count: number): readonly GpuFacts[] {
  const kinds = [...Map.groupBy(gpus, ({ maker }) => maker).values()];
  return kinds.find((kind) => kind.length >= count) ?? kinds[0] ?? [];
}

/** The script is the same for every job, so it is written once per node and version. */
async function installScript(open: OpenNode, signal: AbortSignal | undefined): Promise<string> {
  const text = nodeProgram("claims.sh", import.meta.url) + nodeProgram("lease.sh", import.meta.url);
  const file = `${open.root}/.grid/gpu_lease_${await shortHash(text)}.sh`;
  const target = quote(file);
  // Containers that share a home may have equal process numbers.
  const fresh = quote(`${file}.${randomWord(12)}`);
  const script = `[ -s ${target} ] && exit 0
mkdir -p ${
    quote(`${open.root}/.grid`)
  } && umask 077 && set -C && cat >${fresh} && mv -f ${fresh} ${target}`;
  const { code, stderr } = await open.transport.exec(script, { stdin: text, signal });
  if (code === 0) return file;
  throw new GridError({
    code: "workspace",
    message: `Cannot write to the workspace on "${open.node.name}": ${stderr.trim()}`,
    node: open.node.name,
  });
}

async function shortHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest.slice(0, 6)).toHex();
}

interface LeaseView {
  readonly wish: LeaseWish;
  readonly row: NodeHealth | undefined;
  readonly lent: readonly GpuFacts[];
}

function obstacle({ wish, row, lent }: LeaseView): string {
  const reasons = lent.map((gpu) => whyNot(gpu, wish)).filter((why) => why !== undefined);
  return row?.reason ?? row?.facts?.gpuProblem ??
    (reasons.length > 0 ? reasons.join(", ") : `it has ${lent.length} of ${wish.gpus} GPUs`);
}

function noGpu(
  name: string,
  { wish, reason }: { readonly wish: LeaseWish; readonly reason: string },
): GridError {
  const waited = wish.waitMs > 0 ? ` within ${formatDuration(wish.waitMs)}` : "";
  const what = wish.gpus === 1 ? "a GPU" : `${wish.gpus} GPUs`;
  return new GridError({
    code: "no-node",
    message: `Cannot lease ${what} on "${name}"${waited}: ${reason}`,
    hint: "wait longer with wait: 30m in the selector, or see grid health --explain",
    node: name,
  });
}
