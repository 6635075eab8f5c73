/**
 * Grid as a library: GPU machines reached over SSH, and what can be done with them.
 *
 * @example
 * ```ts
 * import { openGrid } from "@grid/grid";
 *
 * await using grid = await openGrid({ project: await Deno.makeTempDir() });
 * console.log(await grid.exec("echo hello").text()); // on the best node
 * ```
 *
 * @module
 */
export {
  type ErrorCode,
  EXIT_CODES,
  GridError,
  type GridErrorOptions,
  type Place,
} from "./src/core/errors.ts";
export { ExactNumber } from "./src/core/exact_number.ts";
export type { JsonValue } from "./src/core/json.ts";
export { type Diagnostic, DiagnosticsError } from "./src/document/diagnostic.ts";
export type { Placement } from "./src/cluster/cluster.ts";
export type { Claim, Given, NodeWork, Waiting } from "./src/cluster/claim.ts";
export type {
  Drain,
  GpuClaim,
  GpuFacts,
  GpuGroup,
  GpuMaker,
  GpuProcess,
  MissingGpu,
  NodeFacts,
  NodeHealth,
  PastLook,
  Remark,
  ScorePart,
} from "./src/cluster/node.ts";
export type {
  AttemptFinished,
  AttemptStarted,
  BatchProgressed,
  Command,
  DataFinished,
  Event,
  Failure,
  FetchFinished,
  JobStarted,
  Measured,
  NodeChosen,
  OutputFile,
  Queue,
  RankEnded,
  ReuseSource,
  RunFinished,
  Runner,
  RunResult,
  RunStarted,
  ServiceEnded,
  StepFinished,
  StepOutline,
  StepResult,
  StepStarted,
  SyncedTree,
  SyncFinished,
  SyncProgressed,
  TakenOver,
  Timestamp,
  Warned,
} from "./src/engine/event.ts";
export type { Usage, UsageSamples } from "./src/core/usage.ts";
export type { OutputStream } from "./src/engine/ports.ts";
export type { OutputChunk } from "./src/engine/reader.ts";
export type { ActionKind } from "./src/pipeline/pipeline.ts";
export { type ExecOutcome, type ExecOutput, Execution } from "./src/library/execution.ts";
export { Grid, openGrid } from "./src/library/grid.ts";
export type {
  CallOptions,
  ExecOptions,
  FetchOptions,
  HealthOptions,
  NodeWish,
  OpenOptions,
  RayBatchOptions,
  RunOptions,
  SyncOptions,
} from "./src/library/options.ts";
export type { RunOutcome, StepOutcome } from "./src/library/outcome.ts";
export { Run } from "./src/library/run.ts";
