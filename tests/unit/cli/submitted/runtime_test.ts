import assert from "node:assert/strict";
import { runtimeFailure } from "../../../../src/cli/submitted/runtime.ts";

const SITUATIONS = [
  {
    line: "failed system",
    said: "it is Linux aarch64",
    message: /it is Linux aarch64, and this/,
    hint: /like this/,
  },
  {
    line: "failed runs",
    said: "deno: Permission denied",
    message: /does not run there/,
    hint: /noexec/,
  },
  {
    line: "failed runs",
    said: "GLIBC_2.99 not found",
    message: /GLIBC_2\.99/,
    hint: /another node/,
  },
  { line: "failed write", said: "No space left", message: /No space left/, hint: /space/ },
  { line: "welcome", said: "", message: /it said "welcome"/, hint: /permissions/ },
];

for (const { line, said, message, hint } of SITUATIONS) {
  Deno.test(`why Grid cannot be brought to a node is told: ${line} ${said}`, () => {
    const failure = runtimeFailure(line, { node: "gpu1", said });
    assert.match(failure.message, message);
    assert.match(failure.hint ?? "", hint);
  });
}
