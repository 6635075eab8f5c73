/** Asks one node, and says what came of it as a row that can be cached. */
import { withDeadline } from "../core/deadline.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";
import { isWithoutShell } from "../transport/shell/shell_problem.ts";
import type { Transport } from "../transport/transport.ts";
import { drainWords } from "./drain.ts";
import type { Node, NodeFacts } from "./node.ts";
import type { NodeMemory } from "./node_memory.ts";
import { parseProbe, probeCall, probeLibrary } from "./probe.ts";

/** What a probe found; the score is added when it is read, because penalties change meanwhile. */
export interface ProbeRow {
  readonly at: number;
  readonly status: "ok" | "unusable" | "unreachable";
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  readonly facts: NodeFacts | undefined;
  /** It kept silent until patience ended. */
  readonly isSilent?: boolean;
  /** People mend it, and then want to know: it is asked again at once. */
  readonly isMendable?: boolean;
  /** It stays so until a person sees to it: nothing to wait for. */
  readonly isLasting?: boolean;
  /** Of this look and those before; added when the row is kept. */
  readonly memory?: NodeMemory;
}

export interface ProbeNodeOptions {
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  /** From a moment ago; then only load and GPUs are asked for. */
  readonly known?: NodeFacts | undefined;
}

/** Below this a job cannot even write its log. */
const FULL_DISK_BYTES = 256 * 2 ** 20;

/** Never throws for a node that is down; only the caller's own abort is thrown. */
export async function probeNode(node: Node, options: ProbeNodeOptions): Promise<ProbeRow> {
  const { transport, timeoutMs, now, signal, known } = options;
  const command = probeCall({
    root: node.remoteRoot,
    gpuSeconds: gpuSeconds(timeoutMs),
    brief: known && (known.gpuTool === "none" ? "bare" : "brief"),
  });
  const before = transport.stats.queuedMs ?? 0;
  try {
    const { stdout } = await withDeadline(
      (signal) =>
        transport.exec(command, { library: probeLibrary(), signal, timeoutMs, answers: true }),
      {
        ms: timeoutMs,
        error: () => tooSlow(node, timeoutMs),
        signal,
        // A node's time begins when it has its turn.
        queuedMs: () => (transport.stats.queuedMs ?? 0) - before,
      },
    );
    return rowOf(completed(parseProbe(stdout), known), { at: now(), name: node.name });
  } catch (thrown) {
    signal?.throwIfAborted();
    const error = toGridError(thrown);
    if (error.code === "bug") throw error;
    return failedRow(error, now());
  }
}

/** What a person sees to as the hint says, and the answer to which comes quickly. */
const MENDABLE: ReadonlySet<string> = new Set([
  "auth",
  "host-key",
  "dns",
  "algorithm",
  "shell",
  "workspace",
]);

const LASTING: ReadonlySet<string> = new Set(["host-key", "algorithm"]);

/** The row of a node that could not be asked, or whose use has failed. */
export function failedRow(error: GridError, at: number): ProbeRow {
  return {
    at,
    status: error.code === "workspace" || error.code === "shell" ? "unusable" : "unreachable",
    reason: stateOf(error.message),
    hint: error.hint,
    facts: undefined,
    ...(error.code === "timed-out" && { isSilent: true }),
    ...(MENDABLE.has(error.code) && { isMendable: true }),
    ...((LASTING.has(error.code) || isWithoutShell(error)) && { isLasting: true }),
  };
}

function completed(
  facts: NodeFacts | undefined,
  known: NodeFacts | undefined,
): NodeFacts | undefined {
  if (facts === undefined || known === undefined) return facts;
  const { load1, gpus, gpuTool, gpuProblem, work, drains, claimsProblem } = facts;
  const { drains: _, ...standing } = known;
  const moving = { load1, gpus, gpuTool, gpuProblem, work, claimsProblem };
  return { ...standing, ...moving, ...(drains && { drains }) };
}

interface RowOptions {
  readonly at: number;
  readonly name: string;
}

function rowOf(facts: NodeFacts | undefined, { at, name }: RowOptions): ProbeRow {
  if (facts === undefined) {
    const hint = "its login shell must let commands run: ssh <node> 'echo hello'";
    return { at, status: "unusable", reason: "its answer is not a probe's", hint, facts };
  }
  const free = facts.diskFreeBytes;
  if (free !== undefined && free < FULL_DISK_BYTES) {
    const reason = `its disk is full: ${formatSize(free)} free, of the ${
      formatSize(FULL_DISK_BYTES)
    } that it must have`;
    const hint = "make room in remote_root, or move it with remote_root in the cluster config";
    return { at, status: "unusable", reason, hint, facts };
  }
  if (facts.workspaceProblem !== undefined) {
    const hint = "set remote_root in the cluster config to a folder that this account may write to";
    return { at, status: "unusable", reason: facts.workspaceProblem, hint, facts };
  }
  const { missingTools = [] } = facts;
  if (missingTools.length > 0) {
    const reason = `there is no ${missingTools.join(", no ")} on its PATH`;
    const hint = "install coreutils or busybox there, or mend PATH in the account's start-up files";
    return { at, status: "unusable", reason, hint, facts };
  }
  const [drain] = facts.drains ?? [];
  if (drain !== undefined) {
    const hint =
      `what runs there goes on; ${drain.account} takes it back with: grid undrain ${name}`;
    return { at, status: "unusable", reason: drainWords(drain), hint, facts };
  }
  return { at, status: "ok", reason: undefined, hint: undefined, facts };
}

/** The GPU tools get two thirds; the rest is for the way there and all else of the probe. */
function gpuSeconds(timeoutMs: number): number {
  return Math.max(1, Math.floor(timeoutMs / 1500));
}

function tooSlow(node: Node, timeoutMs: number): GridError {
  return new GridError({
    code: "timed-out",
    message: `Cannot probe "${node.name}": no answer within ${timeoutMs / 1000} s`,
    hint: "health_check.timeout in the cluster config sets the patience",
    node: node.name,
  });
}

/** The state of "Cannot <action>: <state>". */
function stateOf(message: string): string {
  return /^Cannot .*?: (.+)$/s.exec(message)?.[1] ?? message;
}
