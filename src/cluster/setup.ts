/** `grid setup`: the Python environment of every node, with Ray where the config asks for it. */
import { monotonic } from "../core/clock.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { foldNames } from "../core/name_ranges.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
import { startJob } from "../transport/job/job_start.ts";
import type { OpenNode } from "./node.ts";
import { lookAtAll, wishOf } from "./setup_look.ts";
import { contentsIn, resultOf, type SetupOptions, type SetupResult } from "./setup_result.ts";
import { byWorkspace } from "./shared_home.ts";

/** A runner that is gone is no reason to leave pip at work for long. */
const LEASE_MS = 60_000;
const LOCK_PATIENCE_SECONDS = 30;
const KILL_GRACE_MS = 2000;
/** Characters kept of what pip says; the reason stands at its end. */
const TAIL = 8192;

/**
 * All workspaces at once, each through one of the nodes that share it; what fails on one node is that
 * node's result. Only the signal throws.
 */
export async function setupNodes(
  nodes: readonly OpenNode[],
  options: SetupOptions,
): Promise<readonly SetupResult[]> {
  const [groups, seen] = await Promise.all([
    byWorkspace(nodes, options),
    lookAtAll(nodes, options),
  ]);
  const results = (await Promise.all(groups.map((group) => {
    const known = group.flatMap((node) => seen.get(node) ?? []);
    return known.length === group.length ? asOne(known) : setupGroup(group, options);
  }))).flat();
  return nodes.flatMap(({ node }) => results.find((result) => result.node === node.name) ?? []);
}

/** All nodes of a workspace are as asked for. */
function asOne([first, ...rest]: readonly SetupResult[]): readonly SetupResult[] {
  if (first === undefined) return [];
  return [first, ...rest.map((result) => ({ ...result, sharedWith: first.node }))];
}

async function setupGroup(
  group: readonly OpenNode[],
  options: SetupOptions,
): Promise<readonly SetupResult[]> {
  const results: SetupResult[] = [];
  // Where one cannot make it, for want of python3-venv for example, the next one may.
  for (const [index, node] of group.entries()) {
    const result = await setupNode(node, { ...options, checkOnly: false });
    results.push(result);
    if (result.state === "failed") continue;
    const rest = group.toSpliced(0, index + 1);
    const shared = await Promise.all(rest.map((node) => checkShared(node, { result, options })));
    const before = await Promise.all(
      group.slice(0, index).map((node) => checkShared(node, { result, options })),
    );
    return [...before, result, ...shared];
  }
  return results;
}

interface SharedOptions {
  readonly result: SetupResult;
  readonly options: SetupOptions;
}

/** An environment is a link to its node's Python, which another node may not have. */
async function checkShared(node: OpenNode, { result, options }: SharedOptions) {
  const own = await setupNode(node, { ...options, checkOnly: true });
  return { ...own, sharedWith: result.node };
}

/** What differs between nodes and should not, in words; undefined where all is alike. */
export function differences(results: readonly SetupResult[]): readonly string[] {
  const good = results.filter(({ state }) => state !== "failed");
  const minor = (python: string | undefined) => python?.split(".").slice(0, 2).join(".");
  return [
    differenceOf("Python", good, ({ python }) => minor(python)),
    differenceOf("Ray", good, ({ ray }) => ray ?? "none"),
    differenceOf(
      "packages",
      good,
      ({ digest, packages }) => digest === undefined ? undefined : `${packages} (${digest})`,
    ),
  ].filter((words) => words !== undefined);
}

function differenceOf(
  what: string,
  results: readonly SetupResult[],
  of: (result: SetupResult) => string | undefined,
): string | undefined {
  const groups = Map.groupBy(results, of);
  if (groups.size < 2) return undefined;
  const parts = [...groups].map(([value, nodes]) =>
    `${value ?? "unknown"} on ${foldNames(nodes.map(({ node }) => node))}`
  );
  return `${what}: ${parts.join("; ")}`;
}

interface OneSetup extends SetupOptions {
  /** It was made through another node; see whether it runs on this one. */
  readonly checkOnly: boolean;
}

async function setupNode(open: OpenNode, options: OneSetup): Promise<SetupResult> {
  const started = monotonic();
  try {
    const job = await startJob(open.transport, jobSpec(open, options));
    const { exit, stdout, stderr } = await follow(job, options.signal);
    const contents = contentsIn(stdout);
    if (exit.kind !== "code" || exit.code !== 0 || !contents) {
      return resultOf(open, started, { state: "failed", ...failure({ exit, stdout, stderr }) });
    }
    const state = stdout.includes("@setup unchanged") ? "unchanged" : "made";
    const tool = /^@setup tool (uv|venv)$/m.exec(stdout)?.[1] as SetupResult["tool"];
    return resultOf(open, started, { state, ...contents, tool });
  } catch (thrown) {
    options.signal.throwIfAborted();
    const { message, hint, code } = toGridError(thrown);
    if (code === "bug") throw thrown;
    return resultOf(open, started, { state: "failed", reason: message, hint });
  }
}

function jobSpec(open: OpenNode, options: OneSetup) {
  const { venv = "", wheels = "", requirements = "", again = false } = options;
  return {
    id: `setup-${randomWord(8)}`,
    root: open.root,
    command: [
      nodePrelude(),
      ...["setup_versions.sh", "setup.sh"].map((name) => nodeProgram(name, import.meta.url)),
    ].join("\n"),
    shell: "sh" as const,
    cwd: open.root,
    env: {
      root: open.root,
      ...wishOf(options),
      venv,
      wheels,
      requirements,
      again: again ? "yes" : "",
      lock_patience: String(options.lockPatienceSeconds ?? LOCK_PATIENCE_SECONDS),
      check_only: options.checkOnly ? "yes" : "",
    },
    secrets: {},
    pathPrefix: [],
    detach: false,
    leaseMs: LEASE_MS,
  };
}

interface Followed {
  readonly exit: JobExit;
  readonly stdout: string;
  readonly stderr: string;
}

async function follow(job: Job, signal: AbortSignal): Promise<Followed> {
  const text = { stdout: "", stderr: "" };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  try {
    const exit = await job.follow({
      signal,
      onOutput: (stream, bytes) => {
        const more = decoders[stream].decode(bytes, { stream: true });
        text[stream] = (text[stream] + more).slice(-TAIL);
      },
    });
    return { exit, ...text };
  } catch (error) {
    if (signal.aborted) await job.kill({ graceMs: KILL_GRACE_MS });
    throw error;
  } finally {
    await job.remove().catch(ignoreLink);
  }
}

/** The result is known; a folder that stays is pruned later. */
function ignoreLink(error: unknown): void {
  if (!(error instanceof GridError)) throw error;
}

const HINTS: Readonly<Record<string, string>> = {
  lock: "another setup of this workspace may be under way; the folder is .grid/setup.lock",
  shared: "it is another node's, in the folder that both share: give this one the same Python",
  python: "install Python 3.9 or newer there",
  venv: "on Debian and Ubuntu: apt install python3-venv; the workspace also needs room",
  install:
    "for a node without an index: --wheels FOLDER with wheels there, or --venv FOLDER with an environment",
  check: "make it anew with --again, or compare ray.version in the cluster config",
  link: "grid_env in the workspace belongs to grid setup",
};

function failure({ exit, stdout, stderr }: Followed): Pick<SetupResult, "reason" | "hint"> {
  const stage = [...stdout.matchAll(/^@setup stage (\w+)$/gm)].at(-1)?.[1] ?? "python";
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const telling = lines.findLast((line) => /^ERROR|^Error|No module named/.test(line));
  const said = telling ?? lines.at(-1) ?? endWords(exit);
  return { reason: said.replace(/^ERROR: /, ""), hint: HINTS[stage] };
}

function endWords(exit: JobExit): string {
  switch (exit.kind) {
    case "code":
      return `it ended with code ${exit.code}`;
    case "signal":
      return `it was ended by ${exit.signal}`;
    case "vanished":
      return "it left no exit code";
  }
}
