/** Why no channel to a node can be had, in words. */
import { GridError } from "../../core/errors.ts";

export function noSessions(node: string): GridError {
  const hint = "raise MaxSessions in the server's sshd_config";
  return problem(node, { code: "channel", state: "the server allows no session", hint });
}

export function noChannel(node: string, ms: number): GridError {
  return problem(node, {
    code: "channel",
    state: `the server opened no channel within ${ms} ms`,
  });
}

export function disposed(node: string): GridError {
  return problem(node, { code: "lost", state: "its transport is closed" });
}

interface Problem {
  readonly code: GridError["code"];
  readonly state: string;
  readonly hint?: string;
}

function problem(node: string, { code, state, hint }: Problem): GridError {
  return new GridError({
    code,
    message: `Cannot run a command on "${node}": ${state}`,
    hint,
    node,
  });
}
