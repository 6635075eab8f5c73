import type { Failure } from "./event.ts";

/** A command that goes on although its step has succeeded. */
export interface Staying {
  /**
   * Settles once nobody follows it any more: with a failure where it ended and nobody had told it to,
   * after `EnginePorts.clearUp` at the latest. Never rejects.
   */
  readonly over: Promise<Failure | undefined>;
}
