/** How a `run` step that did not succeed is told. */
import type { OpenNode } from "../cluster/node.ts";
import type { GridError } from "../core/errors.ts";
import type { Failure } from "../engine/event.ts";
import type { StepOutcome } from "../engine/ports.ts";
import { handedOverIn, handedOverWords } from "../transport/job/handed_over.ts";
import type { JobExit, KillReport } from "../transport/job/job.ts";
import { signalHint } from "./limit_hint.ts";

type FailedOutcome = Extract<StepOutcome, { status: "failed" }>;

/** How a command that ended by itself, but not well, ends its step. */
export function failedExit(
  exit: Exclude<JobExit, { code: 0 }>,
  { node, hint }: Pick<FailedOptions, "node"> & { readonly hint?: string },
): StepOutcome {
  const what = `Cannot finish the command on "${node.node.name}"`;
  const common = { node: node.node.name, started: true };
  switch (exit.kind) {
    case "code":
      return {
        status: "failed",
        failure: {
          ...common,
          code: "exit",
          message: `${what}: it exited with code ${exit.code}`,
          exitCode: exit.code,
          ...(hint !== undefined && { hint }),
        },
      };
    case "signal":
      return { status: "failed", failure: { ...common, ...signalled(exit, what) } };
    case "vanished":
      return {
        status: "failed",
        failure: {
          ...common,
          code: "lost",
          message: `${what}: it left no exit code`,
          hint:
            "the node was restarted, its disk takes no more writes, or somebody killed the shell " +
            "that supervised the command; grid health shows how it is now",
        },
      };
  }
}

function signalled(
  exit: Extract<JobExit, { kind: "signal" }>,
  what: string,
): Pick<Failure, "code" | "message" | "signal" | "hint"> {
  if (exit.by === "lease") {
    const message = `${what}: the node ended it, because its runner was away for too long`;
    return {
      code: "lost",
      message,
      signal: exit.signal,
      hint:
        "detach: true lets it go on, jobs.lease in the cluster config makes the node wait longer",
    };
  }
  const hint = signalHint(exit.signal);
  return {
    code: "signal",
    message: `${what}: it was ended by ${exit.signal}`,
    signal: exit.signal,
    ...(hint !== undefined && { hint }),
  };
}

/**
 * "0 survivors (processes)", which says where was looked, or how many and which. Where work was handed to
 * somebody else who was not asked, nobody knows that none of it is left.
 *
 * @param script where the command is known, what it is
 */
export function survivorWords(
  { survivors, handedOver }: KillReport,
  { script = "" }: { readonly script?: string } = {},
): string {
  const elsewhere = handedOverWords([...handedOver, ...handedOverIn(script)]);
  const names = survivors.map(({ pid, command }) => `${pid} (${command})`).join(", ");
  if (names === "") {
    return elsewhere === "" ? "0 survivors (processes)" : `no process is left; ${elsewhere}`;
  }
  const count = `${survivors.length} ${survivors.length === 1 ? "survivor" : "survivors"}`;
  return [`${count}: ${names}`, ...(elsewhere === "" ? [] : [elsewhere])].join("; ");
}

/** The code that a command ended with that was told to end, where it had one: that a signal ended it goes without saying. */
export function ownCode(exit: JobExit | undefined): Pick<Failure, "exitCode"> {
  return exit?.kind === "code" ? { exitCode: exit.code } : {};
}

export interface FailedOptions {
  readonly node: OpenNode;
  readonly started: boolean;
}

export function failed(error: GridError, { node, started }: FailedOptions): FailedOutcome {
  // A bug of ours must keep its stack.
  if (error.code === "bug") throw error;
  const failure: Failure = {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    node: error.node ?? node.node.name,
    started,
  };
  return { status: "failed", failure };
}
