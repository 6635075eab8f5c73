import assert from "node:assert/strict";
import fc from "fast-check";
import { WholeLines } from "../../../src/ray/whole_lines.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("WholeLines never cuts a line, and loses nothing", () => {
  const chunk = fc.record({
    stream: fc.constantFrom("stdout", "stderr"),
    text: fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 8 }),
  });
  fc.assert(fc.property(fc.array(chunk), (chunks) => {
    const lines = new WholeLines();
    const passed = { stdout: "", stderr: "" };
    for (const { stream, text } of chunks) {
      const whole = decode(lines.push(stream, encode(text)));
      assert.ok(whole === "" || whole.endsWith("\n"));
      passed[stream] += whole;
    }
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = decode(lines.end(stream));
      assert.ok(!rest.includes("\n"));
      const sent = chunks.filter((each) => each.stream === stream).map(({ text }) => text);
      assert.equal(passed[stream] + rest, sent.join(""));
    }
  }));
});
