import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { matchesHost } from "../../../../src/transport/ssh/known_hosts.ts";

function hashed(name: string, salt: Uint8Array): string {
  const digest = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${salt.toBase64()}|${digest}`;
}

Deno.test("a hashed name is known by what node:crypto makes of it, whatever its length", () => {
  for (let length = 1; length <= 130; length++) {
    const name = "gpu-node.example.org-".repeat(7).slice(0, length);
    for (const saltLength of [20, 1, 64]) {
      const pattern = hashed(name, randomBytes(saltLength));
      assert.ok(matchesHost([pattern], name), `${name} under ${saltLength} bytes`);
      assert.ok(!matchesHost([pattern], `${name}x`), name);
      assert.ok(!matchesHost([pattern], `x${name.slice(1)}y`), name);
    }
  }
});

Deno.test("a hashed name that is none matches nothing", () => {
  const good = hashed("gpu1", randomBytes(20));
  for (
    const bad of ["|1|", "|1||", good.replace("|1|", "|2|"), good.slice(0, -8), "|1|AAAA|AAAA"]
  ) {
    assert.equal(matchesHost([bad], "gpu1"), false, bad);
  }
});
