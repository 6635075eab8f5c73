import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamSum } from "../../../src/sync/stream_sum.ts";

Deno.test("a stream's sum is what cksum says of it, however it comes in pieces", async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const sum = new StreamSum();
      for (const part of parts) sum.update(part);
      assert.equal(String(sum), await cksum(parts));
    }),
    { numRuns: 8 },
  );
});

Deno.test("a copy of a sum goes on by itself", () => {
  const sum = new StreamSum().update(new TextEncoder().encode("abc"));
  const copy = sum.copy().update(new TextEncoder().encode("de"));
  assert.equal(String(copy), "996742021 5");
  assert.equal(String(sum), String(new StreamSum().update(new TextEncoder().encode("abc"))));
  assert.equal(String(new StreamSum()), "4294967295 0");
});

async function cksum(parts: readonly Uint8Array[]): Promise<string> {
  const child = new Deno.Command("cksum", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  for (const part of parts) await writer.write(part.slice());
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}
