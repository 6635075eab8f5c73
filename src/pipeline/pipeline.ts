/**
 * What a pipeline file means, once checked: frozen, fully typed, templates and matrices expanded.
 * `load.ts` makes it; everything below trusts it.
 */
import type { Gang } from "./gang.ts";
import type { DataAction } from "./data_action.ts";
import type { Service } from "./service_wish.ts";
import type { Place } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { Text } from "../expression/text.ts";

export interface Pipeline {
  readonly name: string;
  readonly description: string | undefined;
  /** The file it was read from, as the user wrote it. */
  readonly file: string;
  /** Values after defaults, files, environment and flags. */
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Expression scopes by id; `""` is the file itself, every `uses` step opens another. */
  readonly scopes: Readonly<Record<string, Scope>>;
  readonly secrets: readonly SecretSource[];
  readonly concurrency: Concurrency | undefined;
  /** In an order in which every step comes after what it needs; members before their group. */
  readonly steps: readonly Step[];
  readonly hooks: Readonly<Record<HookMoment, readonly Step[]>>;
  /** For a template or a library caller: the outputs that the file promises. */
  readonly outputs: Readonly<Record<string, Text>>;
}

/** What names mean inside one file: the main pipeline, or one use of a template. */
export interface Scope {
  /** The scope in which the `uses` step stands; undefined for the main file. */
  readonly parent: string | undefined;
  /** Checked values; a `Text` is evaluated in the parent scope when the template starts. */
  readonly inputs: Readonly<Record<string, JsonValue | Text>>;
  /** What a template declares its inputs to be, for the values of those texts. */
  readonly rules?: Readonly<Record<string, InputRule>>;
}

/** What the value of an input must be. */
export interface InputRule {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "choice" | "path";
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly pattern: string | undefined;
  readonly options: readonly string[];
  readonly spot: { readonly place: Place };
}

export type HookMoment = "success" | "failure" | "exit";

export type SecretSource =
  & {
    readonly name: string;
    /** Of one that is JSON: paths of what is masked in it; default: what looks secret. */
    readonly mask?: readonly string[];
  }
  & (
    | { readonly from: "env"; readonly variable: string }
    | { readonly from: "file"; readonly path: string }
    | { readonly from: "command"; readonly run: readonly string[] }
  );

export interface Concurrency {
  readonly group: Text;
  readonly max: number;
  readonly onConflict: "queue" | "skip" | "cancel-oldest" | "fail";
}

/** One node of the graph. Matrix cells and template steps are steps of their own, joined by a group step. */
export interface Step {
  /** `train`, a cell `sweep[lr=1e-4,seed=1]`, a template's step `eval/score`. */
  readonly id: string;
  readonly place: Place;
  /** Must have succeeded, or have been skipped by their own `if`. */
  readonly needs: readonly string[];
  /** Must have ended, whatever the result. */
  readonly after: readonly string[];
  /** Runs only if this is true; undefined means `success()`. */
  readonly condition: Text | undefined;
  readonly action: Action<Text>;
  readonly node: NodeRequest<Text>;
  readonly env: Readonly<Record<string, Text>>;
  /** Names out of `Pipeline.secrets` that this step asked for. */
  readonly secrets: readonly string[];
  readonly timeout: Timeout;
  readonly retry: RetryPolicy;
  readonly outputs: readonly OutputSource<Text>[];
  readonly workingDirectory: Text | undefined;
  readonly shell: Shell;
  /** Shell scripts that run before a command, in its shell. */
  readonly before?: readonly Text[];
  readonly detach: boolean;
  /** A command that asked for no GPU sees those that others hold, too. */
  readonly seesAllGpus?: boolean | undefined;
  readonly allowFailure: boolean;
  readonly cache: CacheRule<Text> | undefined;
  /** Globs relative to the project folder: all that it depends on. Default: what was synced. */
  readonly inputs?: readonly Text[];
  /** The expression scope it was written in: `""` for the file itself, else the id of the `uses` step. */
  readonly scope: string;
  /** Values of `matrix.*` for a cell; source spelling kept. */
  readonly matrix: Readonly<Record<string, JsonValue>> | undefined;
  /** The group step that this step is a member of. */
  readonly group: string | undefined;
}

export type Action<T> =
  | SyncAction<T>
  | DataAction<T>
  | SelectNodeAction<T>
  | RunAction<T>
  | RayBatchAction<T>
  | FetchAction<T>
  | GroupAction<T>;

/** `bash -l`: the account's login files prepare, then `bash` runs the command. */
export type Shell = "bash" | "bash -l" | "sh";

/** What a step does. */
export type ActionKind =
  | "sync"
  | "data"
  | "select-node"
  | "run"
  | "ray-batch"
  | "fetch"
  | "group";

export interface SyncAction<T> {
  readonly kind: "sync";
  /** Folder, relative to the project folder. */
  readonly from: T;
  /** Node names, or all configured nodes. */
  readonly to: "all" | readonly T[];
  /** Folder name below `remote_root`; default: the name of the source folder. */
  readonly as: T | undefined;
  /** Extra ignore file in gitignore syntax. */
  readonly excludeFrom: T | undefined;
  /** Extra patterns in gitignore syntax, on top of the cluster's. */
  readonly exclude: readonly T[];
  /** Remove what an earlier sync put there and the source no longer has. */
  readonly delete: boolean;
  /** Also where all, or most of what is on a node, would be removed; only `grid sync --force` says so. */
  readonly force?: boolean;
  /** What becomes of files in the way that Grid did not write; default `backup`. */
  readonly onDrift?: "fail" | "keep" | "backup";
  /** Globs below the folder of synced files that steps write over on the node. */
  readonly writes: readonly T[];
}

export interface SelectNodeAction<T> {
  readonly kind: "select-node";
  readonly selector: NodeSelector<T>;
}

export interface RunAction<T> {
  readonly kind: "run";
  /** Script text; expressions in it are shell-quoted when spliced. */
  readonly run: T;
  /** It is meant to stay. */
  readonly service?: Service;
  readonly gang?: Gang<T extends string ? never : T>;
  /** Absent: on the node itself. */
  readonly container?: Container<T> | undefined;
}

/** Where a command runs instead of on its node itself. */
export interface Container<T> {
  readonly image: T;
  /** `auto`: the first of docker, podman and apptainer that the account may use. */
  readonly engine: "auto" | "docker" | "podman" | "apptainer";
  /** `auto`: those that the step holds. */
  readonly gpus: "auto" | "all" | "none";
  /** `host:container[:ro]`, a relative host path from the step's folder on. */
  readonly volumes: readonly T[];
  /** Undefined: files belong to the account; `image`: as the image says. */
  readonly user: T | undefined;
  /** Further words for the engine. */
  readonly options: readonly T[];
}

export interface RayBatchAction<T> {
  readonly kind: "ray-batch";
  readonly target: { readonly call: T } | { readonly command: T };
  readonly tasks:
    | { readonly list: readonly JsonValue[] }
    | { readonly file: T }
    | { readonly range: number }
    /** An expression whose value is a list, as JSON text once resolved. */
    | { readonly expression: T };
  /** `module:function`, called once per process; `call` gets what it returns as second argument. */
  readonly setup?: T | undefined;
  /** `auto` follows the measured time of tasks. */
  readonly batchSize: number | "auto";
  readonly gpusPerBatch: number;
  readonly cpusPerBatch: number;
  /** Item failures tolerated before the step counts as failed: 0 by default. */
  readonly maxFailures: number;
  /** Whether no further task begins once more than that have failed. */
  readonly stopsOnFailure?: boolean;
  readonly itemTimeoutMs?: number | undefined;
  readonly itemRetries?: number;
  /** Names of exception classes that are tried again; none: all. */
  readonly itemRetryOn?: readonly string[];
  /** Batches at once; undefined: as many as fit. */
  readonly maxInFlight?: number | undefined;
}

export interface FetchAction<T> {
  readonly kind: "fetch";
  /** Paths or globs relative to the step's working folder on the node. */
  readonly from: readonly T[];
  /** Folder relative to the project folder; `{node}` in it stands for the node. */
  readonly to: T;
}

/** Joins the cells of a matrix or the steps of a template; does no work itself. */
export interface GroupAction<T> {
  readonly kind: "group";
  readonly of: "matrix" | "template";
  readonly members: readonly string[];
  /** Cells that may run at the same time; undefined means all. */
  readonly maxParallel: number | undefined;
  readonly failFast: boolean;
  readonly outputs: Readonly<Record<string, T>>;
}

export type NodeRequest<T> =
  /** Written as a name or an expression. `local` is the machine that runs Grid. */
  | { readonly kind: "named"; readonly name: T; readonly gpus?: ChosenGpus }
  | { readonly kind: "selector"; readonly selector: NodeSelector<T> }
  /** Nothing written: where the one `select-node` among the ancestors chose. */
  | { readonly kind: "chosen-by"; readonly step: string }
  /** Nothing written and nothing chosen: the best node when the step starts. */
  | { readonly kind: "best" };

/** GPUs that a `select-node` step asked for; the steps that run where it chose hold them together. */
export interface ChosenGpus {
  readonly count: number;
  /** Full id of the `select-node` step. */
  readonly step: string;
}

export interface NodeSelector<T> {
  readonly gpus: number;
  readonly minFreeVramBytes: number | undefined;
  /** Part of the GPU model's name. */
  readonly model?: T | undefined;
  /** The GPUs are used together with others that share, too. */
  readonly share?: boolean | undefined;
  readonly minFreeMemoryBytes?: number | undefined;
  readonly minFreeDiskBytes?: number | undefined;
  /** Load average per core. */
  readonly maxLoad?: number | undefined;
  readonly maxScore?: number | undefined;
  readonly labels: readonly T[];
  /** Restrict the choice to these nodes; empty means all. */
  readonly among: readonly T[];
  /** Never these. */
  readonly exclude?: readonly T[] | undefined;
  /** How long to wait for a node that fits. */
  readonly waitMs: number;
}

export interface Timeout {
  /** Over all attempts and the waits between them. */
  readonly totalMs: number | undefined;
  readonly attemptMs: number | undefined;
  /** Without a byte of output. */
  readonly idleMs: number | undefined;
  /** Between the polite signal and the final one. */
  readonly killGraceMs: number;
}

export type RetryClass = "transport" | "node-lost" | "timeout" | "any" | `exit:${number}`;

export interface RetryPolicy {
  /** Retries, not attempts: `max: 2` allows three attempts. */
  readonly max: number;
  readonly on: readonly RetryClass[];
  readonly delayMs: number;
  readonly maxDelayMs: number;
  readonly backoff: "exponential" | "linear" | "constant";
  readonly jitter: "full" | "none";
  /** A retry goes to another node where there is one. */
  readonly avoidNode: boolean;
}

/** Where a declared output comes from. What a step writes to `$GRID_OUTPUT` needs no declaration. */
export type OutputSource<T> =
  | {
    readonly name: string;
    readonly from: "file";
    readonly path: T;
    readonly json: string | undefined;
  }
  /** The first group of the last match on stdout. */
  | { readonly name: string; readonly from: "stdout"; readonly match: string }
  | { readonly name: string; readonly from: "value"; readonly value: T };

export interface CacheRule<T> {
  /** Globs relative to the project folder whose contents enter the key. */
  readonly inputs: readonly T[];
  readonly key: T | undefined;
  /** Globs relative to the step's folder on the node: what it makes. Undefined: nobody said. */
  readonly files?: readonly T[] | undefined;
}
