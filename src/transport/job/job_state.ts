/** A job's state as `job.sh` words it. */
import { constants } from "node:os";
import { GridError } from "../../core/errors.ts";
import type { JobExit } from "./job.ts";

export type JobState =
  | { readonly kind: "gone" | "starting" | "running" }
  | {
    readonly kind: "ended";
    readonly exit: JobExit;
    /** `cut`: not all that was printed could be masked and kept. `open`: it could not be masked. */
    readonly kept: "whole" | "cut" | "open";
    /** Something of it runs on for certain; otherwise nobody has looked. */
    readonly left?: true;
  };

/** @throws {GridError} `bug` for words that `job.sh` does not say */
export function parseState(
  line: string,
  { node, job }: { readonly node: string; readonly job: string },
): JobState {
  const [kind, code, how, why, kept] = line.trim().split(" ");
  switch (kind) {
    case "gone":
    case "starting":
    case "running":
      return { kind };
    case "vanished":
      return { kind: "ended", exit: { kind: "vanished" }, kept: "whole" };
    case "ended":
      return {
        kind,
        exit: exitOf(Number(code), { signalled: how === "signal", why: why ?? "-" }),
        kept: kept === "cut" || kept === "open" ? kept : "whole",
        ...(kept === "left" && { left: true }),
      };
    default:
      throw new GridError({
        code: "bug",
        message: `Cannot read the state of job "${job}" on "${node}": "${line}"`,
        node,
      });
  }
}

function exitOf(code: number, how: { signalled: boolean; why: string }): JobExit {
  if (!how.signalled) return { kind: "code", code };
  const signal = signalName(code - 128);
  return how.why === "lease" ? { kind: "signal", signal, by: "lease" } : { kind: "signal", signal };
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}
