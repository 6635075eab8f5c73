import assert from "node:assert/strict";
import fc from "fast-check";
import { SEALED, StreamSum } from "../../../src/sync/stream_sum.ts";

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

Deno.test("a sealed stream has the sum that every sealed stream has, and a shorter one has not", async () => {
  const streams = fc.record({
    parts: fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 3 }),
    zeros: fc.nat({ max: 3000 }),
  });
  await fc.assert(
    fc.asyncProperty(streams, async ({ parts, zeros }) => {
      const sum = new StreamSum();
      for (const part of parts) sum.update(part);
      const seal = sum.seal(zeros);
      const all = [...parts, seal, new Uint8Array(zeros)];
      assert.equal((await cksum(all)).split(" ")[0], String(SEALED));
      const cut = [...parts, seal, new Uint8Array(zeros + 1)];
      assert.notEqual((await cksum(cut)).split(" ")[0], String(SEALED));
    }),
    { numRuns: 8 },
  );
});

async function cksum(parts: readonly Uint8Array[]): Promise<string> {
  const child = new Deno.Command("cksum", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  for (const part of parts) await writer.write(part.slice());
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}
