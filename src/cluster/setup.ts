/** `grid setup`: the Python environment of every node, with Ray where the config asks for it. */
import { monotonic } from "../core/clock.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
import { startJob } from "../transport/job/job_start.ts";
import type { RayConfig } from "./config.ts";
import type { OpenNode } from "./node.ts";

export interface SetupOptions {
  readonly ray: Pick<RayConfig, "mode" | "version">;
  /** An environment that is on the node already: it is linked, nothing is installed. */
  readonly venv?: string | undefined;
  /** A folder on the node with wheels to install from, for nodes without an index. */
  readonly wheels?: string | undefined;
  /** Text of a requirements file: what the steps need besides Ray. */
  readonly requirements?: string | undefined;
  /** Make the environment anew even where it is as asked for. */
  readonly again?: boolean | undefined;
  readonly signal: AbortSignal;
}

export interface SetupResult {
  readonly node: string;
  readonly state: "made" | "unchanged" | "failed";
  readonly python: string | undefined;
  /** Version of Ray; undefined where none was asked for. */
  readonly ray: string | undefined;
  readonly durationMs: number;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

/** A runner that is gone is no reason to leave pip at work for long. */
const LEASE_MS = 60_000;
const KILL_GRACE_MS = 2000;
/** Characters kept of what pip says; the reason stands at its end. */
const TAIL = 8192;

/** All nodes at once; what fails on one node is that node's result. Only the signal throws. */
export async function setupNodes(
  nodes: readonly OpenNode[],
  options: SetupOptions,
): Promise<readonly SetupResult[]> {
  return await Promise.all(nodes.map((node) => setupNode(node, options)));
}

async function setupNode(open: OpenNode, options: SetupOptions): Promise<SetupResult> {
  const started = monotonic();
  const result = (rest: Partial<SetupResult> & Pick<SetupResult, "state">): SetupResult => ({
    node: open.node.name,
    python: undefined,
    ray: undefined,
    durationMs: Math.round(monotonic() - started),
    reason: undefined,
    hint: undefined,
    ...rest,
  });
  try {
    const job = await startJob(open.transport, jobSpec(open, options));
    const { exit, stdout, stderr } = await follow(job, options.signal);
    const done = /^@setup done (\S+) (\S+)$/m.exec(stdout);
    if (exit.kind !== "code" || exit.code !== 0 || !done) {
      return result({ state: "failed", ...failure({ exit, stdout, stderr }) });
    }
    const [, python, ray] = done;
    const state = stdout.includes("@setup unchanged") ? "unchanged" : "made";
    return result({ state, python, ray: ray === "-" ? undefined : ray });
  } catch (thrown) {
    options.signal.throwIfAborted();
    const { message, hint, code } = toGridError(thrown);
    if (code === "bug") throw thrown;
    return result({ state: "failed", reason: message, hint });
  }
}

function jobSpec(open: OpenNode, options: SetupOptions) {
  const { ray, venv = "", wheels = "", requirements = "", again = false } = options;
  return {
    id: `setup-${randomWord(8)}`,
    root: open.root,
    command: `${nodePrelude()}\n${nodeProgram("setup.sh", import.meta.url)}`,
    shell: "sh" as const,
    cwd: open.root,
    env: {
      root: open.root,
      ray_version: ray.mode === "managed" ? ray.version ?? "" : "-",
      venv,
      wheels,
      requirements,
      again: again ? "yes" : "",
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
