/** Why a channel did not come to its command, or broke. */
import { GridError } from "../../core/errors.ts";
import { missingEnv } from "../missing_env.ts";
import { endHint, silenceHint, waited } from "../shell/shell_problem.ts";
import type { Endpoint } from "../transport.ts";
import { sessionIn } from "./mux_client.ts";

interface EarlyEnd {
  /** Words of ssh itself. */
  readonly said: string;
  /** How ssh ended. */
  readonly code: number;
  /** What the login shell printed. */
  readonly printed: string;
}

/** For ssh that ended before the command began, over a connection that lives. */
export function explainEarlyEnd(endpoint: Endpoint, { said, code, printed }: EarlyEnd): GridError {
  const { name } = endpoint;
  if (sessionIn(said) !== "opened") {
    const words = lastLine(said.split("\n").filter((line) => !line.startsWith("debug")));
    return cannotStart(name, { code: "channel", state: words ?? `ssh ended with ${code}` });
  }
  const words = lastLine(printed.split("\n"));
  const noEnv = missingEnv(words ?? "");
  if (noEnv) return cannotStart(name, { code: "shell", ...noEnv });
  return cannotStart(name, {
    code: "shell",
    state: `the login shell ended before the command (exit ${code})${words ? `: ${words}` : ""}`,
    hint: endHint(endpoint, words ?? ""),
  });
}

/** @param session what the server has made of it so far */
export function explainSlowStart(
  endpoint: Endpoint,
  session: "opened" | "asked",
): GridError {
  const { name, commandTimeoutMs } = endpoint;
  const time = `within ${waited(commandTimeoutMs)}`;
  return session === "opened"
    ? cannotStart(name, {
      code: "shell",
      state: `the login shell did not come to the command ${time}`,
      hint: silenceHint(endpoint),
    })
    : cannotStart(name, { code: "channel", state: `the server opened no channel ${time}` });
}

export function lostBecause({ name }: Endpoint, state: string): GridError {
  const message = `Cannot go on with "${name}": the connection was lost (${state})`;
  return new GridError({ code: "lost", message, node: name });
}

function cannotStart(
  name: string,
  { code, state, hint }: {
    readonly code: "channel" | "shell";
    readonly state: string;
    readonly hint?: string;
  },
): GridError {
  return new GridError({
    code,
    message: `Cannot start a command on "${name}": ${state}`,
    hint,
    node: name,
  });
}

function lastLine(lines: readonly string[]): string | undefined {
  return lines.map((line) => line.trim()).findLast((line) => line !== "");
}
