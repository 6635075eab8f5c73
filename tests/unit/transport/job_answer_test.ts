import assert from "node:assert/strict";
import { parseAnswer, parseState } from "../../../src/transport/job_answer.ts";

const CONTEXT = { node: "gpu1", job: "j", word: "WORD" };
const answer = (stdout: string, stderr = "") => parseAnswer({ code: 0, stdout, stderr }, CONTEXT);

Deno.test("parseAnswer() takes an ended job apart: state, output file, both streams", () => {
  const { state, collected } = answer("ended 3 code -\na=\xc3\xbc\n\nWORD\nout\xff", "err\n");
  assert.deepEqual(state, { kind: "ended", exit: { kind: "code", code: 3 } });
  assert.equal(collected?.outputFile, "a=ü\n");
  assert.deepEqual([...collected?.stdout ?? []], [0x6f, 0x75, 0x74, 0xff]);
  assert.deepEqual([...collected?.stderr ?? []], [0x65, 0x72, 0x72, 0x0a]);
});

Deno.test("parseAnswer() brings what a running job printed so far", () => {
  const { state, collected } = answer("running\n\nWORD\nso far");
  assert.deepEqual(state, { kind: "running" });
  assert.equal(new TextDecoder().decode(collected?.stdout), "so far");
});

Deno.test("parseAnswer() has nothing collected where there is no job yet, or none", () => {
  assert.deepEqual(answer("starting\n"), { state: { kind: "starting" }, collected: undefined });
  assert.deepEqual(answer("gone\n"), { state: { kind: "gone" }, collected: undefined });
});

Deno.test("parseAnswer() names why a job was refused", () => {
  assert.throws(() => answer("refused cwd\n/no/where\n"), {
    code: "workspace",
    node: "gpu1",
    message: 'Cannot start the command on "gpu1": folder "/no/where" cannot be entered',
    hint: /sync the folder/,
  });
  assert.throws(() => answer("refused folder\nmkdir: No space left on device\n"), {
    code: "workspace",
    message: /No space left on device/,
    hint: /remote_root/,
  });
});

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
  assert.throws(() => parseState("what?", CONTEXT), { code: "bug", message: /job "j" on "gpu1"/ });
});
