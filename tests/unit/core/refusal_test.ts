import assert from "node:assert/strict";
import { mkdirSync, openSync } from "node:fs";
import { refusedError, toGridError } from "../../../src/core/errors.ts";
import { thrownWords } from "../../../src/core/refusal.ts";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("toGridError() says of a full disk that it is full, with an exit code of its own", () => {
  const error = toGridError(thrownBy(() => Deno.writeTextFileSync("/dev/full", "x")));
  assert.equal(
    error.message,
    'Cannot write "/dev/full": no room is left on the disk of this machine',
  );
  assert.deepEqual([error.code, error.exitCode], ["disk-full", 6]);
});

Deno.test("toGridError() names the folder and the missing right, whoever made the call", () => {
  const errors = [
    systemError("EACCES", "EACCES: permission denied, mkdir '/a b/.grid'"),
    systemError("EACCES", "Permission denied (os error 13): mkdir '/a b/.grid'"),
  ];
  for (const error of errors) {
    const { message, exitCode } = toGridError(error);
    assert.equal(message, 'Cannot make the folder "/a b/.grid": this account has no right to');
    assert.equal(exitCode, 6);
  }
});

Deno.test("toGridError() says where there are no more descriptors", () => {
  const { code, message } = toGridError(
    systemError("EMFILE", "Failed to spawn '/usr/bin/true': Too many open files (os error 24)"),
  );
  assert.deepEqual(
    [code, message],
    ["open-files", "Cannot go on: this process may not open more files"],
  );
});

Deno.test("refusedError() takes the caller's words for what was being done", () => {
  const cause = systemError("ENOSPC", "ENOSPC: no space left on device, write");
  const error = refusedError(cause, "write the report");
  assert.match(error?.message ?? "", /^Cannot write the report: no room/);
  assert.equal(error?.cause, cause);
});

Deno.test("toGridError() leaves a file that is missing to be a bug: somebody forgot to look", () => {
  assert.equal(toGridError(thrownBy(() => openSync("/nonexistent/x", "r"))).code, "bug");
  assert.equal(refusedError(thrownBy(() => mkdirSync("/nonexistent/x/y"))), undefined);
});

Deno.test("thrownWords() leaves out the number that Deno adds, and nothing else", () => {
  const error = thrownBy(() => Deno.openSync("/nowhere/at all"));
  assert.match(String(error), /\(os error 2\)/, "Deno writes it");
  assert.equal(thrownWords(error), "No such file or directory: open '/nowhere/at all'");
  assert.equal(thrownWords("odd (os error)"), "odd (os error)");
});
