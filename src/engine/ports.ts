/** What the engine needs from the outside. Implementations live in `steps/`, `store/` and `grid.ts`. */
import type { Usage } from "../core/usage.ts";
import type { Clock } from "../core/clock.ts";
import type { ResumeJob } from "./resume_job.ts";
import type { StepNote } from "./step_note.ts";
import type { DataPaths } from "./data_paths.ts";
import type { Staying } from "./staying.ts";
import type { JsonValue } from "../core/json.ts";
import type { NodeReads } from "../expression/node_reference.ts";
import type { NodeScope } from "../expression/evaluate.ts";
import type { Action, ActionKind, NodeRequest, OutputSource, Shell } from "../pipeline/pipeline.ts";
import type { Event, Failure, OutputFile, SyncedTree } from "./event.ts";

export type { StepNote } from "./step_note.ts";

export interface EnginePorts {
  readonly kinds: StepKinds;
  readonly journal: Journal;
  readonly output: OutputSink;
  readonly clock: Clock;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  /** Removes secrets from everything that leaves the engine. */
  readonly mask: <T>(value: T) => T;
  /** Absent: this run knows of no other, and cannot be cancelled from outside. */
  readonly registry?: RunRegistry | undefined;
  /** Absent: `cache:` has no effect. */
  readonly results?: ResultCache | undefined;
  /** Absent: what was fetched counts as being there still. */
  readonly files?: LocalFiles | undefined;
  /** Absent: every output is kept in the journal, whatever its size. */
  readonly outputFiles?: ((place: OutputPlace) => OutputWriter) | undefined;
  /** Absent: `hashFiles()` and `inputs` read what they need at once, and hold everything else up. */
  readonly readFirst?: ReadFirst | undefined;
  /** Absent: what a node gives to commands counts in no key. */
  readonly nodeSays?: NodeSays | undefined;
  /** Ends what commands left running, after the last hook; what it says becomes warnings. */
  readonly clearUp?: (() => Promise<readonly SurvivorNote[]>) | undefined;
}

/**
 * What the cluster config has commands find on the nodes that a step may run on: before, env, and of vars
 * those that are read. Undefined where it says nothing.
 */
export type NodeSays = (node: StepRequest["node"], reads: NodeReads) => unknown;

/** Lets much be read before something depends on it that cannot wait, as expressions cannot. */
export interface ReadFirst {
  /** Does work that may be done again; what it throws is thrown where nothing must be read. */
  attempt<T>(work: () => T): Attempted<T>;
}

export type Attempted<T> =
  | { readonly value: T }
  /** Nothing came of it: it can be done once this has resolved. Rejects with the signal's reason alone. */
  | { readonly read: (signal: AbortSignal) => Promise<void> };

/** Questions about files of this machine, where the project lies. */
export interface LocalFiles {
  /** Those of the glob patterns that match no file. */
  unmatched(patterns: readonly string[]): readonly string[];
  /** One clause on what is missing or has another size; undefined where all is there. */
  lost(fetched: Fetched): string | undefined;
  /** The same of an output's file. */
  lostOutput(output: OutputFile): string | undefined;
  /**
   * An output's values, each read when it is asked for.
   *
   * @throws {GridError} `output-invalid` where one is asked for and cannot be read
   */
  list(output: OutputFile, name: string): readonly JsonValue[];
}

/** What an output's file is named after. */
export interface OutputPlace {
  readonly step: string;
  readonly attempt: number;
  readonly name: string;
}

/** Writes the file of an output, with secrets masked. */
export interface OutputWriter extends Disposable {
  /** Absolute. */
  readonly path: string;
  /** Whole lines, one JSON value each. @throws {GridError} `disk-full` and the like */
  write(lines: Uint8Array): void;
  /** Undefined where a secret was masked: such a list is not what it was. */
  finish(): OutputFile | undefined;
}

/** What a fetch brought. */
export interface Fetched {
  /** Absolute. */
  readonly folder: string;
  /** Paths below it. */
  readonly files: readonly string[];
  /** Of all files together. */
  readonly bytes: number;
}

export interface SurvivorNote {
  /** Undefined where nobody knows any more. */
  readonly step: string | undefined;
  readonly message: string;
}

/** What runs in different processes know of each other. Forgets a runner whose process is gone. */
export interface RunRegistry {
  /**
   * This process runs `run` from now on.
   *
   * @throws {GridError} `conflict` where another one does, or where a run went on from `resumes`
   */
  enter(run: string, options?: { readonly resumes?: string | undefined }): void;
  leave(run: string): void;
  isAlive(run: string): boolean;
  /** Takes a place in a group of runs, or in its queue; asked again until there is one. */
  join(run: string, options: { readonly group: string; readonly max: number }): GroupPlace;
  /** Asks the process that runs `run` to stop; false where there is none. */
  requestCancel(run: string, reason: string): boolean;
  /** What `requestCancel` was told, if it was; also a sign of life. */
  cancelRequest(run: string): string | undefined;
}

export type GroupPlace =
  | { readonly joined: true }
  /** Runs that hold a place or came earlier, oldest first. */
  | { readonly joined: false; readonly ahead: readonly string[] };

/** Results of steps that opted in with `cache:`, by key, over all runs. */
export interface ResultCache {
  /** Undefined where there is none, or where what it left behind is gone. */
  find(key: string): CachedResult | undefined;
  keep(key: string, result: CachedResult): void;
}

export interface CachedResult {
  readonly run: string;
  readonly step: string;
  readonly at: number;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly filed?: Readonly<Record<string, OutputFile>>;
  readonly node?: string;
  /** What it made there; absent where the step did not say what that is. */
  readonly made?: Made;
  /** What it came from: in words → digest. Results of older Grids have none. */
  readonly parts?: Readonly<Record<string, string>>;
}

/** Files that a cached step left on its node. */
export interface Made {
  /** As the step declares them, below its folder. */
  readonly patterns: readonly string[];
  /** Absolute, on the node. */
  readonly folder: string;
  /** Of names, sizes and times. */
  readonly digest: string;
  /** Path → size and time, where they are few. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Journal {
  /** Keeps all of them, or none where it throws; durable once it returns. */
  append(run: string, events: readonly Event[]): void;
}

/** Receives the bytes that commands print, in order per attempt. */
export interface OutputSink {
  open(attempt: {
    readonly step: string;
    readonly attempt: number;
    /** What it prints comes masked from the node already. */
    readonly hasSecrets?: boolean;
  }): AttemptOutput;
}

export interface AttemptOutput extends AsyncDisposable {
  /** A promise asks the producer to wait (back-pressure). */
  write(stream: OutputStream, bytes: Uint8Array): void | Promise<void>;
  /** Lines in which a mask stands; complete once it is disposed. */
  readonly maskedLines?: number;
  /** Bytes that nobody could keep; complete once it is disposed. */
  readonly unkeptBytes?: number;
}

/** Where a command printed it. */
export type OutputStream = "stdout" | "stderr";

export type StepKinds = {
  readonly [K in Exclude<ActionKind, "group">]: StepKind<K>;
};

/** How one kind of step is done. Must end soon after the signal fires, leaving nothing running. */
export interface StepKind<K extends ActionKind> {
  readonly kind: K;
  /**
   * Told that the step will be run as soon as the syncs before it have succeeded. What it does about that
   * must not change what `run` does, which may come with another request, late, or never.
   */
  prepare?(request: StepRequest<Extract<Action<string>, { kind: K }>>): void;
  /**
   * Resolves with outputs, or with a failure as data.
   * What it throws counts as a failure too; anything but a `GridError` as a bug.
   */
  run(
    request: StepRequest<Extract<Action<string>, { kind: K }>>,
    host: StepHost,
  ): Promise<StepOutcome>;
}

/** One attempt at a step, with every expression already evaluated. */
export interface StepRequest<A extends Action<string> = Action<string>> {
  readonly run: string;
  readonly pipeline: string;
  /** It stands in no file: the command of `grid run "command"`. */
  readonly isBare?: boolean;
  readonly step: string;
  readonly attempt: number;
  readonly action: A;
  /** `chosen-by` is resolved to `named` by the engine. */
  readonly node: Exclude<NodeRequest<string>, { kind: "chosen-by" }>;
  /** Nodes that earlier attempts failed on, where the policy says to avoid them. */
  readonly avoidNodes: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The same for a node that was chosen: what reads it has its value. Absent where nothing does. */
  readonly forNode?: (node: NodeScope) => StepRequest;
  /** Variables of `env` whose value reaches the command in a file that they name. */
  readonly inFiles?: readonly string[];
  /** JSON for the file that `$GRID_VALUES` names; undefined where the script does not ask for it. */
  readonly values?: string | undefined;
  /** Values by name; never written to argv, files or logs. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly outputs: readonly OutputSource<string>[];
  /** As written; relative to the step's folder. */
  readonly workingDirectory: string | undefined;
  readonly shell: Shell;
  /** Shell scripts that run before the command, in its shell. */
  readonly before?: readonly string[];
  readonly detach: boolean;
  /** It sees GPUs that others hold, though it asked for none. */
  readonly seesAllGpus?: boolean | undefined;
  readonly killGraceMs: number;
  /** Folder last synced to each node by a step this one comes after: node name → absolute folder. */
  readonly folders: Readonly<Record<string, string>>;
  /** What proves that they hold this run's code: node name → tree. */
  readonly trees?: Readonly<Record<string, SyncedTree>>;
  /** Data sets that steps before it brought: variable → node → where it lies there. */
  readonly data?: DataPaths;
  /** Its result is kept for other runs, if it is a result of this run's code. */
  readonly cache?: CacheRequest | undefined;
  /** For a sync: patterns, relative to the project, of what the steps behind it fetch. */
  readonly fetchTargets?: readonly string[];
  /** For a sync: patterns, relative to its folder there, of files that steps behind it make. */
  readonly madeThere?: readonly string[];
  /** For a fetch: every command before it ran in this run. */
  readonly isBehindNewWork?: boolean;
  /** A job of this very attempt that may still run on its node; attach instead of starting. */
  readonly resumeJob: ResumeJob | undefined;
}

export interface CacheRequest {
  /** What the step makes; undefined where it does not say. */
  readonly files: readonly string[] | undefined;
  /** An earlier result that stands if what it made is still there. */
  readonly earlier?: CachedResult | undefined;
}

export interface StepHost {
  /** Fires at a deadline or on cancel; its reason is a `GridError` (`timed-out` or `interrupted`). */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  output(stream: OutputStream, bytes: Uint8Array): void | Promise<void>;
  /** A file of the run for an output; absent where nobody keeps one. */
  readonly outputFile?: ((name: string) => OutputWriter) | undefined;
  /**
   * Journals a fact about this attempt; step, attempt and time are added by the engine. It is
   * durable by the end of this turn of the event loop; `job.started`, and all before it, at once.
   */
  note(note: StepNote): void;
  /** What the attempt's command used, once that is known. Absent where nobody wants to know. */
  used?(usage: Usage): void;
  /** The container image that it ran in, by its digest where the engine knows one. */
  ranIn?(image: string): void;
}

export type StepOutcome =
  | {
    readonly status: "succeeded";
    readonly outputs: Readonly<Record<string, JsonValue>>;
    /** Outputs that lie in files of the run. */
    readonly filed?: Readonly<Record<string, OutputFile>>;
    /** Outputs that hold a secret, which their files have masked; not among the others. */
    readonly masked?: readonly string[];
    readonly exitCode?: number;
    /** One clause: why no other run may use the result. */
    readonly unfit?: string;
    /** What a cached step made. */
    readonly made?: Made;
    /** Nothing was done: this earlier result stands. */
    readonly reused?: CachedResult;
    /** Its command goes on; what it prints is still the attempt's. */
    readonly stays?: Staying;
  }
  | {
    readonly status: "failed";
    readonly failure: Failure;
    /** What became of the command that was told to stop, such as "0 survivors"; no full stop. */
    readonly aftermath?: string;
    /** It went over a limit of time that the kind itself watches, so that it timed out. */
    readonly isLate?: true;
  };
