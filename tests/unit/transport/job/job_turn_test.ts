import assert from "node:assert/strict";
import fc from "fast-check";
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

Deno.test("parseTurn() believes no answer that it cannot read", () => {
  for (
    const answer of [
      "",
      "job other 0 0 0 0 0 running\n",
      "job a 0 0 0 0 0 what?\n",
      "job a 9 0 0 0 0 running\nshort",
      "job a -1 0 0 0 0 running\n",
      "job a 1e3 0 0 0 0 running\n",
      "job a 9999999999999 0 0 0 0 running\n",
      "job a 0 0 0 0 0 ended 99999 code -\n",
      "job a 0 0 0 0 0 ended x code -\n",
      `job a 0 0 0 0 0 running${" ".repeat(300)}x\n`,
    ]
  ) {
    assert.throws(
      () => parse(answer, [ask("a")]),
      { code: "answer-invalid", message: /"gpu1" says about job "a"/ },
      answer.slice(0, 50),
    );
  }
});

Deno.test("parseTurn() reads any bytes, or says that it cannot", () => {
  const words = fc.constantFrom(
    "job a ",
    "job b ",
    "refused a cwd\n",
    ".\n",
    "ended 3 code -",
    "5 ",
    "0 ",
    "\n",
  );
  const piece = fc.oneof(words, fc.string({ unit: "binary" }), fc.nat().map(String));
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    try {
      const told = parse(pieces.join(""), [ask("a"), ask("b", "held"), ask("b")]);
      assert.equal(told.length, 3);
    } catch (error) {
      assert.ok(error instanceof GridError && error.code === "answer-invalid", String(error));
    }
  }));
});

Deno.test("parseTurn() gives back what was told, byte for byte", () => {
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)),
  });
  fc.assert(fc.property(bytes, bytes, fc.nat(255), (out, err, code) => {
    const answer =
      `job a ${out.length} 0 ${err.length} 1 0 ended ${code} code - left\n${out}${err}`;
    const [news] = parse(answer, [ask("a")]);
    assert.ok(news && !(news instanceof GridError));
    assert.deepEqual([text(news.stdout), text(news.stderr)], [out, err]);
    assert.deepEqual(news.state, {
      kind: "ended",
      exit: { kind: "code", code },
      kept: "whole",
      left: true,
    });
  }));
});
