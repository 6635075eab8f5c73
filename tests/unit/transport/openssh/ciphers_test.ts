import assert from "node:assert/strict";
import { orderOf } from "../../../../src/transport/openssh/ciphers.ts";

Deno.test("orderOf() names what this ssh knows, and puts AES-GCM first", () => {
  const all = "3des-cbc\naes128-ctr\naes256-gcm@openssh.com\nchacha20-poly1305@openssh.com\n";
  assert.equal(
    orderOf(all),
    "aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr",
  );
});

Deno.test("orderOf() leaves the order to an ssh that has nothing faster", () => {
  // As one that was built without OpenSSL prints.
  assert.equal(
    orderOf("aes128-ctr\naes192-ctr\naes256-ctr\nchacha20-poly1305@openssh.com\n"),
    undefined,
  );
  assert.equal(orderOf(""), undefined);
});
