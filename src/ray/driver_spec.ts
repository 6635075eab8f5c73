/** What `batch_driver.py` is told, and where its files lie on the head. Values of the environment stay out. */
import { pythonJson } from "../core/exact_json.ts";
import { distinctName } from "../core/file_names.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { BatchSpec } from "./batch.ts";

/** Where the driver runs its batches. */
export type DriverPlace =
  | { readonly mode: "embedded" }
  | {
    readonly mode: "ray";
    /** The GCS, `host:port`. */
    readonly address: string;
    /** The address under which the head joined; picks the right Ray node on a shared machine. */
    readonly nodeIp: string | undefined;
    readonly namespace: string;
  }
  /** A job that Ray starts in a package of the code; nothing of the node's own is there. */
  | { readonly mode: "package"; readonly namespace: string };

export interface DriverPaths {
  /** Folder of everything that belongs to the step's batches. */
  readonly folder: string;
  readonly driver: string;
  readonly spec: string;
  readonly results: string;
  /** What Grid knows from other nodes. */
  readonly known: string;
}

export interface DriverFiles extends DriverPaths {
  /** The work: what was called with which code in which environment. */
  readonly work: string;
  /** Names these results, whatever the node. */
  readonly key: string;
}

/**
 * One results file per attempt. Attempts at the same work find each other's under the step's key,
 * and take over the items that are the same to the byte.
 */
export async function driverFiles(root: string, spec: BatchSpec): Promise<DriverFiles> {
  const identity = [spec.target, spec.setup ?? null, spec.code ?? null, spec.identityEnv];
  const work = await fingerprint(pythonJson(identity));
  return {
    ...driverPaths(root, spec),
    work,
    key: `${spec.resultsKey} ${work} ${await fingerprint(spec.tasks.join("\n"))}`,
  };
}

export function driverPaths(
  root: string,
  { id, resultsKey }: Pick<BatchSpec, "id" | "resultsKey">,
): DriverPaths {
  const folder = `${root}/.grid/batches/${distinctName([resultsKey])}`;
  const name = distinctName([id]);
  return {
    folder,
    driver: `${folder}/batch_driver.py`,
    spec: `${folder}/${name}.json`,
    results: `${folder}/results/${name}.jsonl`,
    known: `${folder}/${name}.known`,
  };
}

/**
 * Stands before everything the driver says to Grid. No task prints it by chance, and a runner that
 * attaches later knows it too.
 */
export function markOf(spec: Pick<BatchSpec, "id">): string {
  return `\x1egrid-batch:${distinctName([spec.id])}:`;
}

/** Secrets on their way to a driver that gets no environment from Grid: two halves, each worth nothing. */
export interface SealedSecrets {
  /** Where the other half lies, as Ray names it. */
  readonly package: string;
  /** As many random bytes as the secrets have, as Base64. */
  readonly pad: string;
}

export interface SpecOptions {
  readonly sealed?: SealedSecrets | undefined;
  readonly head: OpenNode;
  readonly place: DriverPlace;
  readonly files: DriverFiles;
}

/** One line for the batch, and one for each task: as text, so that nobody on the way reads a number in it. */
export function driverSpecText(spec: BatchSpec, options: SpecOptions): string {
  return [batchLine(spec, options), ...spec.tasks].join("\n");
}

function batchLine(spec: BatchSpec, options: SpecOptions): string {
  return pythonJson({
    ...(options.sealed && { sealed: options.sealed }),
    ...placeFields(spec, options),
    target: spec.target,
    id: spec.id,
    work: options.files.work,
    code: spec.code ?? null,
    known: options.files.known,
    batch_size: spec.batchSize === "auto" ? 0 : spec.batchSize,
    setup: spec.setup ?? null,
    max_failures: spec.maxFailures,
    on_item_failure: spec.stopsOnFailure ? "stop" : "continue",
    item_timeout: spec.itemTimeoutMs === undefined ? null : spec.itemTimeoutMs / 1000,
    item_retries: spec.itemRetries ?? 0,
    item_retry_on: spec.itemRetryOn ?? [],
    max_in_flight: spec.maxInFlight ?? null,
    gpus: spec.gpusPerBatch,
    cpus: spec.cpusPerBatch,
    results: options.files.results,
    mark: markOf(spec),
  });
}

function placeFields(spec: BatchSpec, { head, place }: SpecOptions) {
  const own = { cwd: spec.cwd, root: head.root, node: head.node.name, forward: forwarded(spec) };
  switch (place.mode) {
    case "embedded":
      return { mode: "embedded", ...own };
    case "ray": {
      const { address, nodeIp, namespace } = place;
      return { mode: "ray", address, node_ip: nodeIp ?? null, namespace, ...own };
    }
    case "package": {
      const { namespace } = place;
      const node = "the Ray cluster";
      return { mode: "ray", namespace, cwd: null, node, forward: [], say_results: true };
    }
  }
}

/** Names of variables that go to every worker; its own node and workspace it knows itself. */
function forwarded(spec: BatchSpec): readonly string[] {
  const stays = ["GRID_NODE", "GRID_ROOT", "PATH"];
  return Object.keys({ ...spec.env, ...spec.secrets }).filter((name) => !stays.includes(name));
}

async function fingerprint(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
