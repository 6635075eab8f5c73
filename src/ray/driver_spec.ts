/** What `batch_driver.py` is told, and where its files lie on the head. Values of the environment stay out. */
import type { JsonValue } from "../core/json.ts";
import { fileNameOf } from "../core/ids.ts";
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
  };

export interface DriverFiles {
  /** Folder of everything that belongs to the step's batches. */
  readonly folder: string;
  readonly driver: string;
  readonly spec: string;
  readonly results: string;
}

/**
 * Results are found again under the step's key as long as target and tasks are the same; a changed
 * list of tasks starts from nothing.
 */
export async function driverFiles(root: string, spec: BatchSpec): Promise<DriverFiles> {
  const folder = `${root}/.grid/batches/${fileNameOf(spec.resultsKey)}`;
  const work = await fingerprint([spec.target, spec.tasks]);
  return {
    folder,
    driver: `${folder}/batch_driver.py`,
    spec: `${folder}/${fileNameOf(spec.id)}.json`,
    results: `${folder}/results-${work}.jsonl`,
  };
}

/**
 * Stands before everything the driver says to Grid. No task prints it by chance, and a runner that
 * attaches later knows it too.
 */
export function markOf(spec: Pick<BatchSpec, "id">): string {
  return `\x1egrid-batch:${fileNameOf(spec.id)}:`;
}

export function driverSpecText(
  spec: BatchSpec,
  options: {
    readonly head: OpenNode;
    readonly place: DriverPlace;
    readonly files: DriverFiles;
  },
): string {
  const { head, place } = options;
  return JSON.stringify({
    ...(place.mode === "ray"
      ? {
        mode: "ray",
        address: place.address,
        node_ip: place.nodeIp ?? null,
        namespace: place.namespace,
      }
      : { mode: "embedded" }),
    target: spec.target,
    tasks: spec.tasks,
    batch_size: spec.batchSize,
    gpus: spec.gpusPerBatch,
    cpus: spec.cpusPerBatch,
    cwd: spec.cwd,
    root: head.root,
    node: head.node.name,
    // A worker's own node and workspace are known there, not here.
    forward: Object.keys({ ...spec.env, ...spec.secrets })
      .filter((name) => name !== "GRID_NODE" && name !== "GRID_ROOT" && name !== "PATH"),
    results: options.files.results,
    mark: markOf(spec),
  });
}

async function fingerprint(value: JsonValue): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
