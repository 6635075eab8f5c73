/** Lets a command start only in the tree that its own run brought, and with the data that it asked for. */
import type { OpenNode } from "../cluster/node.ts";
import { systemClock } from "../core/clock.ts";
import type { GridError } from "../core/errors.ts";
import { own } from "../core/own.ts";
import type { StepRequest } from "../engine/ports.ts";
import type { SyncedTree } from "../engine/event.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
import {
  denialError,
  proofPrelude,
  readDenial,
  type VerifyOptions,
  verifyTree,
} from "../sync/tree_proof.ts";
import { dataPrelude } from "./data_paths.ts";
import type { RunTrees } from "./run_trees.ts";

export interface TreeGateOptions {
  readonly request: Pick<StepRequest, "trees" | "detach" | "data">;
  readonly trees?: RunTrees | undefined;
}

export class TreeGate {
  readonly #node: OpenNode;
  readonly #options: TreeGateOptions;

  constructor(node: OpenNode, options: TreeGateOptions) {
    this.#node = node;
    this.#options = options;
  }

  /** Shell text for the first line of the job's script; empty where nothing was brought to the node. */
  prelude(job: string): string {
    const { trees, request } = this.#options;
    const tree = this.#tree;
    const data = dataPrelude(request, { node: this.#node, trees });
    if (!trees || !tree) return data;
    const detached = request.detach && { detached: job };
    return proofPrelude(tree, { run: trees.run, ...detached }) + data;
  }

  /** Why the job's script did not start; undefined where it did. */
  async denial(job: Job, exit: JobExit): Promise<GridError | undefined> {
    if (exit.kind !== "code" || !this.#tree) return undefined;
    const denial = readDenial(exit.code, await job.readOutputFile());
    return denial === undefined ? undefined : this.#error(denial, this.#tree);
  }

  /** The same question in a round trip of its own. @throws {GridError} a transport code */
  async check(
    signal: AbortSignal,
    options: Pick<VerifyOptions, "looks"> = {},
  ): Promise<GridError | undefined> {
    const { trees } = this.#options;
    const tree = this.#tree;
    if (!trees || !tree) return undefined;
    const { transport } = this.#node;
    const denial = await verifyTree(tree, { ...options, run: trees.run, transport, signal });
    return denial === undefined ? undefined : this.#error(denial, tree);
  }

  get #tree(): SyncedTree | undefined {
    return own(this.#options.request.trees ?? {}, this.#node.node.name);
  }

  #error(denial: string, { folder }: SyncedTree): GridError {
    return denialError(denial, { node: this.#node.node.name, folder, now: systemClock.now() });
  }
}
