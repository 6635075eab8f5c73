/** How a service that did not go well is told. */
import type { OpenNode } from "../cluster/node.ts";
import type { Failure } from "../engine/event.ts";
import type { StepOutcome } from "../engine/ports.ts";
import type { JobExit } from "../transport/job/job.ts";
import { failedExit } from "./run_failure.ts";

/** Lines of what it printed last that an error shows. */
const LAST_LINES = 5;

interface GoneOptions {
  readonly node: OpenNode;
  readonly printed: string;
}

/** It was ready, and has ended while its run goes on. */
export function goneFailure(exit: JobExit, { node, printed }: GoneOptions): Failure {
  const { name } = node.node;
  const how = endWords(exit);
  const isOver = exit.kind !== "vanished" && exit.by === "time";
  return {
    // Not by its exit code: that would be all that is told.
    code: exit.kind === "vanished" ? "lost" : "step-failed",
    message: `The service on "${name}" has ended while its run went on: ${how}${
      lastWords(printed)
    }`,
    hint: isOver ? "service.for gives it more time" : "grid logs shows all that it printed",
    node: name,
    started: true,
  };
}

function endWords(exit: JobExit): string {
  if (exit.kind === "vanished") return "it left no exit code";
  if (exit.by === "time") return "its time was over";
  if (exit.kind === "signal" && exit.by === "lease") return "its runner was away for too long";
  return exit.kind === "code" ? `exit code ${exit.code}` : `ended by ${exit.signal}`;
}

/** How a service ends its step that has ended before it was ready. */
export function failedStart(
  exit: JobExit,
  { node, printed }: GoneOptions,
): StepOutcome {
  if (exit.kind !== "code") return failedExit(exit, { node });
  const { name } = node.node;
  return {
    status: "failed",
    failure: {
      code: "exit",
      message:
        `Cannot start the service on "${name}": it exited with code ${exit.code} before it ` +
        `was ready${lastWords(printed)}`,
      node: name,
      started: true,
      ...(exit.code === 0 && {
        hint: "let the command stay in the foreground: no & at its end, no --daemon",
      }),
    },
  };
}

/** What it printed last, behind a semicolon. */
export function lastWords(printed: string): string {
  const lines = printed.split(/[\r\n]+/).filter((line) => line.trim() !== "").slice(-LAST_LINES);
  return lines.length === 0 ? "; it printed nothing" : `; it last printed: ${lines.join(" | ")}`;
}
