import assert from "node:assert/strict";
import { GridError } from "../../../../src/core/errors.ts";
import { parseTurn, type Question, turnCommand } from "../../../../src/transport/job/job_turn.ts";

const NOTHING = { stdout: 0, stderr: 0 };
const ask = (id: string, mode: Question["mode"] = "old"): Question => ({
  id,
  start: undefined,
  offset: NOTHING,
  mode,
});

function parse(answer: string, questions: readonly Question[]) {
  const bytes = Uint8Array.from(answer, (char) => char.charCodeAt(0));
  return parseTurn(bytes, { questions, node: "gpu1" });
}

const text = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

Deno.test("turnCommand() starts first, then asks about everything in one call", () => {
  const start = "grid_start '/r' 'a'";
  const command = turnCommand(
    [{ ...ask("a", "fresh"), start }, { ...ask("b"), offset: { stdout: 5, stderr: 7 } }],
    { root: "/it's", word: "w", credit: 10 },
  );
  assert.equal(
    command,
    `${start}\ngrid_turn '/it'\\''s' w a 0 0 10 fresh b 5 7 10 old`,
  );
});

Deno.test("parseTurn() takes states, bytes and output files apart, in the order of the questions", () => {
  const answer = "job a 5 1 2 0 4 ended 3 code -\nout\xff\n\xfeea=\xc3\xbc" +
    "job b 0 0 3 0 0 running\njob";
  const [a, b] = parse(answer, [ask("a"), ask("b")]);
  assert.ok(a && b && !(a instanceof GridError) && !(b instanceof GridError));
  assert.deepEqual(a.state, { kind: "ended", exit: { kind: "code", code: 3 }, kept: "whole" });
  assert.equal(text(a.stdout), "out\xff\n");
  assert.equal(text(a.stderr), "\xfee");
  assert.equal(a.outputFile, "a=ü");
  assert.equal(a.hasMore, true);
  assert.deepEqual(b.state, { kind: "running" });
  assert.equal(text(b.stderr), "job");
  assert.equal(b.hasMore, false);
});

Deno.test("parseTurn() has nothing for a job that was only held", () => {
  const told = parse("job b 0 0 0 0 0 gone\n", [ask("a", "held"), ask("b")]);
  assert.equal(told[0], undefined);
  assert.deepEqual(told[1] && !(told[1] instanceof GridError) && told[1].state, { kind: "gone" });
});

Deno.test("parseTurn() names why a job was refused, and still has the others", () => {
  const answer = "refused a cwd\n/no/where\n.\nrefused c folder\nmkdir: No space\nleft\n.\n" +
    "job a 0 0 0 0 0 gone\njob b 0 0 0 0 0 running\njob c 0 0 0 0 0 gone\n";
  const [a, b, c] = parse(answer, [ask("a"), ask("b"), ask("c")]);
  assert.ok(a instanceof GridError && c instanceof GridError && !(b instanceof GridError));
  assert.equal(a.code, "step-failed");
  assert.equal(c.code, "workspace");
  assert.equal(
    a.message,
    'Cannot start the command on "gpu1": folder "/no/where" cannot be entered',
  );
  assert.match(a.hint ?? "", /sync the folder/);
  assert.match(c.message, /mkdir: No space\nleft/);
  assert.match(c.hint ?? "", /remote_root/);
  assert.equal(b?.state.kind, "running");
});

Deno.test("parseTurn() tells what could not be kept, or not be masked", () => {
  for (const kept of ["whole", "cut", "open"]) {
    const [news] = parse(`job a 0 0 0 0 0 ended 0 code - ${kept}\n`, [ask("a")]);
    assert.ok(news && !(news instanceof GridError));
    assert.equal(news.state.kind === "ended" && news.state.kept, kept);
  }
});

Deno.test("parseTurn() calls an answer that it cannot read a bug", () => {
  for (const answer of ["", "job other 0 0 0 0 0 running\n", "job a 0 0 0 0 0 what?\n"]) {
    assert.throws(() => parse(answer, [ask("a")]), { code: "bug", message: /job "a" on "gpu1"/ });
  }
});
