import assert from "node:assert/strict";
import { parseState } from "../../../../src/transport/job/job_state.ts";

const CONTEXT = { node: "gpu1", job: "j" };
Deno.test("parseState() tells codes, signals and a lease that ran out apart", () => {
  const exit = (line: string) => {
    const state = parseState(line, CONTEXT);
    return state.kind === "ended" ? state.exit : state.kind;
  };
  assert.deepEqual(exit("ended 137 code -"), { kind: "code", code: 137 });
  assert.deepEqual(exit("ended 137 signal -"), { kind: "signal", signal: "SIGKILL" });
  assert.deepEqual(exit("ended 143 signal lease\n"), {
    kind: "signal",
    signal: "SIGTERM",
    by: "lease",
  });
  assert.deepEqual(exit("ended 192 signal -"), { kind: "signal", signal: "SIG64" });
  assert.deepEqual(exit("vanished"), { kind: "vanished" });
  assert.throws(() => parseState("what?", CONTEXT), {
    code: "answer-invalid",
    message: /"gpu1" says about job "j"/,
  });
});
