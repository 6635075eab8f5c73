import assert from "node:assert/strict";
import { runExitCode } from "../../../../src/engine/drive/result.ts";
import type { Failure } from "../../../../src/engine/event.ts";

function codeOf(failure: Partial<Failure>, passThrough: boolean): number {
  const firstFailure = { code: "exit", message: "", started: true, ...failure } as Failure;
  const summary = { results: ["failed"], firstFailure, interrupted: undefined } as const;
  return runExitCode(summary, { passThrough });
}

Deno.test("runExitCode() passes a command's own end through where that is asked for", () => {
  assert.equal(codeOf({ exitCode: 7 }, true), 7);
  assert.equal(codeOf({ exitCode: 7 }, false), 1);
  assert.equal(codeOf({ code: "signal", signal: "SIGKILL" }, true), 137);
  assert.equal(codeOf({ code: "signal", signal: "SIGKILL" }, false), 1);
});

Deno.test("runExitCode() stays Grid's where the command is not to blame", () => {
  assert.equal(codeOf({ code: "no-node" }, true), 3);
  assert.equal(codeOf({ code: "lost", signal: "SIGKILL" }, true), 3);
});
