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

export interface StatePlace {
  readonly node: string;
  readonly job: string;
}

/** `ended <code> <how> <why> <kept>`, of which older ones end sooner. */
const ENDED = /^ended (\d{1,3}) (code|signal)(?: (\S{1,20}))?(?: (\S{1,20}))?$/;

/** @throws {GridError} `answer-invalid` for words that `job.sh` does not say */
export function parseState(line: string, place: StatePlace): JobState {
  const text = line.trim();
  if (text === "gone" || text === "starting" || text === "running") return { kind: text };
  if (text === "vanished") return { kind: "ended", exit: { kind: "vanished" }, kept: "whole" };
  const match = ENDED.exec(text);
  if (match === null) throw unreadable(line, place);
  const [, code, how, why = "-", kept] = match;
  return {
    kind: "ended",
    exit: exitOf(Number(code), { signalled: how === "signal", why }),
    kept: kept === "cut" || kept === "open" ? kept : "whole",
    ...(kept === "left" && { left: true }),
  };
}

/** The node said what no program of Grid says. */
export function unreadable(words: string, { node, job }: StatePlace): GridError {
  return new GridError({
    code: "answer-invalid",
    message: `Cannot read what "${node}" says about job "${job}": ${
      JSON.stringify(words.slice(0, 200))
    }`,
    hint: "something else answers there, or a start-up file prints into it: " +
      `try again, and look there by hand: ssh ${node}`,
    node,
  });
}

function exitOf(code: number, how: { signalled: boolean; why: string }): JobExit {
  if (!how.signalled) return { kind: "code", code, ...(how.why === "time" && { by: how.why }) };
  const signal = signalName(code - 128);
  return how.why === "lease" || how.why === "time"
    ? { kind: "signal", signal, by: how.why }
    : { kind: "signal", signal };
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}
