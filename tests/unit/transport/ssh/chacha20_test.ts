import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCipheriv, randomBytes } from "node:crypto";
import { chacha20 } from "../../../../src/transport/ssh/chacha20.ts";

Deno.test("chacha20() encrypts the text of RFC 8439, section 2.4.2", () => {
  const key = Uint8Array.from({ length: 32 }, (_, index) => index);
  const iv = Buffer.from("01000000000000000000004a00000000", "hex");
  const text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for " +
    "the future, sunscreen would be it.";
  const secret = chacha20(key, iv, new TextEncoder().encode(text));
  assert.equal(
    secret.toString("hex"),
    "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab" +
      "8f593dabcd62b3571639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e" +
      "52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42874d",
  );
  assert.equal(chacha20(key, iv, secret).toString(), text);
});

Deno.test("chacha20() is the native cipher, whatever key, counter and length", () => {
  for (let length = 0; length < 700; length++) {
    const [key, iv, data] = [randomBytes(32), randomBytes(16), randomBytes(length)];
    // A counter that overflows in the middle of a packet.
    if (length % 5 === 0) iv.fill(0xff, 0, length % 2 === 0 ? 3 : 4);
    const native = createCipheriv("chacha20", key, iv);
    const expected = native.update(data);
    native.final();
    assert.deepEqual(chacha20(key, iv, data), expected, `${length} bytes`);
  }
});
