/**
 * Grid as a library: load a pipeline, open a cluster, run.
 *
 * @module
 */
export { type ErrorCode, GridError, type Place } from "./src/core/errors.ts";
export { type Diagnostic, DiagnosticsError } from "./src/document/diagnostic.ts";
export type { Event, Failure, RunResult, StepResult } from "./src/engine/event.ts";
export type { OutputChunk, RunReader } from "./src/engine/reader.ts";
export type { AttemptState, RunState, StepState } from "./src/engine/state.ts";
export { Grid, type GridOptions, openGrid, type RunFolder, type RunOptions } from "./src/grid.ts";
export { loadPipeline } from "./src/pipeline/load.ts";
export type { Pipeline, Step } from "./src/pipeline/pipeline.ts";
