/**
 * What a job holds on its node: the line of shell that makes it say so there. Whoever starts something on
 * a node that is to hold GPUs goes through `claimPrelude`; what the claim looks like is told in `claims.sh`,
 * how others see it in `claim.ts`.
 */
import type { Clock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import { formatDuration } from "../core/duration.ts";
import { claimWord } from "./claim.ts";
import { gpuTurn } from "./gpu_turn.ts";
import type { HealthCheck } from "./health.ts";
import { claimKey, runtimeName } from "./claim_key.ts";
import type { ClaimOptions, ClaimWish, JobClaim } from "./claim_wish.ts";
import type { GpuFacts, Node, OpenNode } from "./node.ts";
import { placeOf, type Presence, type Ticket } from "./presence.ts";
import { placeWords } from "./turn_words.ts";
import { nodeProgram } from "../transport/node_program.ts";

/** How a job ends that could not have its GPUs, and what it leaves in its output file. */
export const NO_GPU_EXIT = 75;
export const NO_GPU_OUTPUT = "grid: no gpu\n";
/** The same where it could not even say so on its node: the reason follows. */
export const NO_CLAIM_OUTPUT = "grid: no claim: ";

/** Between two looks at GPUs that are all taken. */
const POLL_MS = 1000;
/** Somebody else may take a GPU at any moment; a look that is older does not count. */
const MAX_AGE_MS = 1000;

export interface ClaimDeps {
  readonly health: HealthCheck;
  readonly clock: Clock;
  /** Of the project and of this process, as others see them. */
  readonly project: string;
  readonly owner: string;
  readonly presence: Presence;
  /** What is held for the job already. */
  readonly held?: readonly GpuFacts[] | undefined;
}

interface LeaseOptions extends ClaimOptions {
  readonly wish: ClaimWish;
}

/**
 * One line of shell to put before a job's script, on the script's own first line. The job claims its GPUs
 * for as long as anything of it lives, and sets `CUDA_VISIBLE_DEVICES` and `HIP_VISIBLE_DEVICES`, by
 * the names that the runtime knows, and `GRID_GPUS`, by index; where others were faster it ends with
 * `NO_GPU_EXIT` and `NO_GPU_OUTPUT`. A job without GPUs says that it is there, and does not see those
 * that others hold.
 *
 * @throws {GridError} `no-node` where not enough GPUs became free in time
 */
export async function claimPrelude(
  open: OpenNode,
  options: LeaseOptions & ClaimDeps,
): Promise<JobClaim> {
  const { wish, signal } = options;
  if (wish.gpus === 0) return await plainClaim(open, options);
  const gpus = options.held ?? await freeGpus(open, options);
  const file = await installed(open, GPU_PROGRAMS, signal);
  const words = [wish.gpus, claimWord(wish.group), wish.share ? "yes" : "no", ...gpuWords(gpus)];
  const told = `${claimWords({ ...options, node: open.node })}; grid_wish=${
    quote(words.join(" "))
  }`;
  return { prelude: `${told}; . ${quote(file)}; ` };
}

const GPU_PROGRAMS = ["claims.sh", "claims_read.sh", "claim.sh", "claim_job.sh"];
const PLAIN_PROGRAMS = ["claims.sh", "claim.sh", "claim_plain.sh"];
const HIDE_PROGRAMS = ["claims.sh", "claims_read.sh", "claim_hide.sh"];

/** Functions by which a shell claims GPUs for its session: `grid_claims_own` and `grid_take_gpus` of `claim.sh`. */
export function claimPrograms(): string {
  const names = ["claims.sh", "claims_read.sh", "claim.sh"];
  return names.map((name) => nodeProgram(name, import.meta.url)).join("");
}

/** GPUs as the programs on the node are told of them, the best first. */
export function gpuWords(gpus: readonly GpuFacts[]): string[] {
  return gpus.map((gpu) => `${claimKey(gpu)}=${gpu.index}=${runtimeName(gpu)}`);
}

interface ClaimWords extends Pick<ClaimDeps, "project" | "owner"> {
  readonly node: Node;
  readonly wish: ClaimWish;
  /** For how long it holds without being renewed; a job's own needs none. */
  readonly ttlMs?: number | undefined;
}

/** The assignment that `claim.sh` expects. */
export function claimWords(words: ClaimWords): string {
  return `grid_words=${quote(Object.values(wordsOf(words)).join(" "))}`;
}

/** In the order of `claim.sh`. */
function wordsOf({ node, wish, project, owner, ttlMs }: ClaimWords) {
  const { words: { run, step, lastsMs }, group, share } = wish;
  const seconds = (ms: number | undefined) => ms === undefined ? "-" : String(Math.ceil(ms / 1000));
  return {
    lasts: seconds(lastsMs),
    run: claimWord(run),
    step: claimWord(step),
    project: claimWord(project),
    owner: claimWord(owner),
    group: claimWord(group),
    share: share ? "yes" : "no",
    ttl: seconds(ttlMs),
    place: placeOf(node),
  };
}

/** The file of a job without GPUs, as `grid_claim_text` of `claim.sh` makes it, for `JobSpec.record`. */
function recordOf(options: ClaimWords): string {
  const { ttl: _, ...words } = wordsOf(options);
  return [
    "{GRID_LEASE_DIR:-/tmp}/grid-claims-{uid}/job.{GRID_JOB}",
    "grid-claim 1",
    "kind job",
    "pid {pid} {born} {pid}",
    "boot {boot}",
    "up {up}",
    ...Object.entries(words).map(([key, word]) => `${key} ${word}`),
    "",
  ].join("\n");
}

/** The job does not depend on it: where it cannot be said, nobody hears of it. */
async function plainClaim(
  open: OpenNode,
  options: LeaseOptions & ClaimDeps,
): Promise<JobClaim> {
  const { wish, signal, health } = options;
  const file = quote(await installed(open, PLAIN_PROGRAMS, signal));
  const words = { ...options, node: open.node };
  const claim = `[ -n "\${GRID_RECORDED-}" ] || (${
    claimWords(words)
  }; [ ! -r ${file} ] || . ${file}) 2>/dev/null || :; unset GRID_RECORD GRID_RECORDED; `;
  const record = recordOf(words);
  const facts = health.known(open.node)?.facts;
  if (wish.seesAll || facts === undefined || facts.gpus.length === 0) {
    return { prelude: claim, record };
  }
  const hiding = await hidingPrelude(open, { gpus: facts.gpus, wish, signal });
  return { prelude: claim + hiding, record };
}

/** The runtime of AMD takes an empty list for none; that of NVIDIA, and Ray, for an empty one. */
async function hidingPrelude(
  open: OpenNode,
  { gpus, wish, signal }: LeaseOptions & { readonly gpus: readonly GpuFacts[] },
): Promise<string> {
  const file = quote(await installed(open, HIDE_PROGRAMS, signal));
  const shown = gpus.filter(({ maker }) => maker !== "intel")
    .map((gpu) => `${claimKey(gpu)}=${runtimeName(gpu)}`);
  if (shown.length === 0) return "";
  const none = gpus.some(({ maker }) => maker === "amd") ? "-1" : "";
  const group = quote(claimWord(wish.group));
  return `grid_shown=$(grid_group=${group}; grid_shown=${
    quote(shown.join(" "))
  }; [ ! -r ${file} ] || . ${file} 2>/dev/null) || :; case $grid_shown in =*) ` +
    `grid_shown=\${grid_shown#=}; export CUDA_DEVICE_ORDER=PCI_BUS_ID ` +
    `CUDA_VISIBLE_DEVICES="\${grid_shown:-${none}}"; ` +
    `export HIP_VISIBLE_DEVICES="$CUDA_VISIBLE_DEVICES";; esac; unset grid_shown; `;
}

async function freeGpus(
  { node }: OpenNode,
  options: LeaseOptions & ClaimDeps,
): Promise<readonly GpuFacts[]> {
  const { wish, signal, onWait, health, clock, presence, owner } = options;
  const deadline = clock.monotonic() + wish.waitMs;
  const ticket: Ticket = { ...wish, id: randomWord(8), model: wish.model };
  let told: string | undefined;
  try {
    for (let maxAgeMs = MAX_AGE_MS;; maxAgeMs = 0) {
      const [row] = await health.check([node], { maxAgeMs, signal });
      const facts = row?.facts;
      const { run, lastsMs } = wish.words;
      const asker = { owner, ticket: ticket.id, run, lastsMs };
      const turn = facts && gpuTurn(node, { facts, wish, asker });
      if (turn?.gpus !== undefined && facts?.work?.isWhole !== false) return turn.gpus;
      const left = deadline - clock.monotonic();
      const reason = row?.reason ?? facts?.gpuProblem ?? turn?.reason ?? "it has no GPU";
      if (left <= 0) throw noGpu(node.name, { wish, reason, isFinal: turn?.isFinal === true });
      await presence.stand(node, ticket, signal);
      const words = turn === undefined ? reason : `${placeWords(turn, wish.gpus)}; ${reason}`;
      if (standing(words) !== told) onWait?.(words);
      told = standing(words);
      await clock.sleep(Math.min(POLL_MS, left), { signal });
    }
  } finally {
    presence.leave(ticket.id);
  }
}

/** What of the words is worth saying again: not that time goes by. */
function standing(words: string): string {
  return words.split(";")[0] ?? words;
}

const installs = new WeakMap<OpenNode, Map<string, Promise<string>>>();

/** A program is the same for every job, so it is written once per node and version. */
async function installed(
  open: OpenNode,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const known = installs.get(open) ?? new Map<string, Promise<string>>();
  installs.set(open, known);
  const key = names.join();
  const earlier = known.get(key);
  if (earlier !== undefined) return await earlier;
  const install = installScript(open, { names, signal });
  known.set(key, install);
  install.catch(() => known.delete(key));
  return await install;
}

async function installScript(
  open: OpenNode,
  { names, signal }: {
    readonly names: readonly string[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<string> {
  const text = names.map((name) => nodeProgram(name, import.meta.url)).join("");
  const name = (names.at(-1) ?? "").replace(/\.sh$/, "");
  const file = `${open.root}/.grid/${name}_${await shortHash(text)}.sh`;
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
    hint: /not found/.test(stderr) ? "install coreutils or busybox there" : undefined,
    node: open.node.name,
  });
}

async function shortHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest.slice(0, 6)).toHex();
}

function noGpu(
  name: string,
  { wish, reason, isFinal }: {
    readonly wish: ClaimWish;
    readonly reason: string;
    readonly isFinal: boolean;
  },
): GridError {
  const waited = wish.waitMs > 0 ? ` within ${formatDuration(wish.waitMs)}` : "";
  const what = wish.gpus === 1 ? "a GPU" : `${wish.gpus} GPUs`;
  return new GridError({
    code: "no-node",
    message: `Cannot claim ${what} on "${name}"${waited}: ${reason}`,
    hint: isFinal
      ? "no waiting cures that: see grid health --explain"
      : "wait longer with wait: 30m in the selector, or see grid queue",
    node: name,
  });
}
