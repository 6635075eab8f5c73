import assert from "node:assert/strict";
import { exitCodeOf, GridError, isTransportCode, toGridError } from "../../../src/core/errors.ts";

Deno.test("exitCodeOf() follows the bands that grid --help names", () => {
  assert.equal(exitCodeOf("pipeline-invalid"), 2);
  assert.equal(exitCodeOf("usage"), 2);
  assert.equal(exitCodeOf("no-node"), 3);
  assert.equal(exitCodeOf("auth"), 3);
  assert.equal(exitCodeOf("exit"), 1);
  assert.equal(exitCodeOf("timed-out"), 4);
  assert.equal(exitCodeOf("conflict"), 5);
  assert.equal(exitCodeOf("bug"), 70);
  assert.equal(exitCodeOf("interrupted"), 130);
});

Deno.test("isTransportCode() leaves out what a retry cannot mend", () => {
  assert.ok(isTransportCode("tcp") && isTransportCode("lost") && isTransportCode("channel"));
  for (const code of ["host-key", "algorithm", "auth", "no-node", "exit", "timed-out"] as const) {
    assert.ok(!isTransportCode(code), code);
  }
});

Deno.test("GridError carries what, where and what to do", () => {
  const cause = new Error("ECONNREFUSED");
  const place = { file: "p.yaml", line: 3, column: 7 };
  const error = new GridError({
    code: "tcp",
    message: "Cannot connect",
    hint: "grid health",
    node: "gpu1",
    place,
    cause,
  });
  assert.deepEqual(
    [error.name, error.exitCode, error.hint, error.node, error.place, error.cause],
    ["GridError", 3, "grid health", "gpu1", place, cause],
  );
  assert.ok(!("cause" in new GridError({ code: "tcp", message: "x" })));
});

Deno.test("toGridError() takes the cause, not what failed while closing up after it", () => {
  const known = new GridError({ code: "tcp", message: "refused" });
  assert.equal(toGridError(new SuppressedError(new Error("closing failed"), known)), known);
});

Deno.test("toGridError() makes a bug of anything unforeseen", () => {
  const known = new GridError({ code: "exit", message: "exit code 3" });
  assert.equal(toGridError(known), known);
  const error = toGridError(new TypeError("x is not a function"));
  assert.deepEqual([error.code, error.message], ["bug", "x is not a function"]);
  assert.ok(error.cause instanceof TypeError);
  assert.equal(toGridError("thrown text").message, "thrown text");
});
