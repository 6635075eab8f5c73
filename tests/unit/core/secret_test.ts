import assert from "node:assert/strict";
import fc from "fast-check";
import { createMasker, type Masker } from "../../../src/core/secret.ts";
import { quote } from "../../../src/core/shell.ts";

const SECRET = 's3cr3t/Pa+ss\'word $HOME\\x "quoted" ü';
const encoder = new TextEncoder();

/** The secret as other programs would print it. */
function spellings(secret: string): Record<string, string> {
  const base64 = (text: string) => encoder.encode(text).toBase64();
  const url = (text: string) => encoder.encode(text).toBase64({ alphabet: "base64url" });
  return {
    "plain": secret,
    "JSON": JSON.stringify({ value: secret }),
    "JSON within JSON": JSON.stringify(JSON.stringify({ value: secret })),
    "URL-encoded": encodeURIComponent(secret),
    "form-encoded": new URLSearchParams({ q: secret }).toString(),
    "shell-quoted": quote(secret),
    "base64 alone": base64(secret),
    "base64 after one byte": base64(`:${secret}`),
    "base64 after two bytes": base64(`me${secret}:`),
    "base64url": url(`user:${secret}`),
    "HTML": secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
  };
}

function pushAll(masker: Masker, chunks: readonly Uint8Array[]): string {
  const stream = masker.stream();
  const parts = [...chunks.map((chunk) => stream.push(chunk)), stream.end()];
  const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole);
}

for (const [name, spelling] of Object.entries(spellings(SECRET))) {
  Deno.test(`createMasker() hides a secret spelled as ${name}`, () => {
    const masked = createMasker([SECRET]).text(`before ${spelling} after`);
    assert.ok(masked.startsWith("before ") && masked.endsWith(" after"), masked);
    assert.match(masked, /\*\*\*/);
    for (const known of Object.values(spellings(SECRET))) {
      assert.ok(!masked.includes(known), masked);
    }
    assert.doesNotMatch(masked, /s3cr3t|c3NlY3|Pa\+?ss/);
  });

  Deno.test(`stream() hides a secret spelled as ${name}, cut at every byte`, () => {
    const masker = createMasker([SECRET]);
    const bytes = encoder.encode(`before ${spelling} after ${spelling}`);
    const whole = masker.text(`before ${spelling} after ${spelling}`);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.equal(pushAll(masker, [bytes.subarray(0, cut), bytes.subarray(cut)]), whole);
    }
    assert.equal(pushAll(masker, [...bytes].map((byte) => Uint8Array.of(byte))), whole);
  });
}

Deno.test("createMasker() hides every line of a secret of several lines", () => {
  const masker = createMasker(["-----BEGIN KEY-----\n  MIIEpAIBAAKCAQEA7\nq2c9Lk\n-----\n"]);
  assert.equal(masker.text("got MIIEpAIBAAKCAQEA7!"), "got ***!");
  assert.equal(masker.text("got q2c9Lk!"), "got ***!");
  assert.equal(masker.text("a line -----, not a secret"), "a line -----, not a secret");
});

Deno.test("createMasker() hides the strings inside a secret that is JSON", () => {
  const secret = JSON.stringify({ user: "robot-7", keys: [{ token: "abc\ndefgh" }], n: 1 });
  const masker = createMasker([secret]);
  assert.equal(masker.text("robot-7 uses defgh"), "robot-7 uses ***");
  assert.equal(masker.text(secret), "***");
  assert.equal(masker.text("abc"), "abc");
});

Deno.test("createMasker() goes by the paths of a secret that says which of its values to mask", () => {
  const value = JSON.stringify({
    pin: 471100,
    token: "jws-4711-abcdef-0815",
    keys: [{ id: "blue\nwhale" }],
  });
  const masker = createMasker([{ value, mask: [".pin", ".keys"] }]);
  assert.equal(
    masker.text("471100 jws-4711-abcdef-0815 whale"),
    "*** jws-4711-abcdef-0815 ***",
  );
  assert.equal(masker.text(value), "***");
});

Deno.test("createMasker() leaves values of fewer than four characters alone", () => {
  const masker = createMasker(["", "a", "abc", "1"]);
  assert.equal(masker.text("abc a 1 abcabc"), "abc a 1 abcabc");
});

Deno.test("createMasker() makes one mask of secrets that overlap", () => {
  const masker = createMasker(["abcd1234", "1234wxyz", "abcd"]);
  assert.equal(masker.text("<abcd1234wxyz>"), "<***>");
  assert.equal(masker.text("<abcd>"), "<***>");
  assert.equal(pushAll(masker, [..."<abcd1234wxyz>"].map((c) => encoder.encode(c))), "<***>");
});

Deno.test("stream() holds back only what may be the start of a secret", () => {
  const stream = createMasker(["hunter2000"]).stream();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(text(stream.push(encoder.encode("50 %\r"))), "50 %\r");
  assert.equal(text(stream.push(encoder.encode("hunt"))), "");
  assert.equal(text(stream.push(encoder.encode("ing"))), "hunting");
  assert.equal(text(stream.push(encoder.encode("hunter"))), "");
  assert.equal(text(stream.end()), "hunter");
});

Deno.test("text() leaves the mere beginning of a secret at the end of a text", () => {
  const masker = createMasker(["hunter2000", "hunt"]);
  assert.equal(masker.text("<hunter20"), "<***er20");
  assert.equal(createMasker(["hunter2000", "abcd"]).text("<hunter20"), "<hunter20");
});

Deno.test("stream() hides a secret that never stops repeating itself", () => {
  const masker = createMasker(["aaaa"]);
  const chunks = Array.from({ length: 50 }, () => encoder.encode("aaa"));
  assert.doesNotMatch(pushAll(masker, chunks), /a/);
});

Deno.test("value() masks strings, keys and numbers at any depth, and copies", () => {
  const masker = createMasker(["hunter2000", "12345678"]);
  const value = {
    list: ["x hunter2000", 7, null, true, 12345678],
    hunter2000: { "***": 1 },
    "my 12345678": "kept",
  };
  assert.deepEqual(masker.value(value), {
    list: ["x ***", 7, null, true, "***"],
    "***": { "***": 1 },
    "my ***": "kept",
  });
  assert.notEqual(masker.value(value), value);
  assert.equal(value.list[0], "x hunter2000");
});

Deno.test("value() keeps both values where two keys look the same once masked", () => {
  const masker = createMasker(["first-secret", "other-secret"]);
  assert.deepEqual(masker.value({ "first-secret": 1, "other-secret": 2 }), {
    "***": 1,
    "*** (2)": 2,
  });
});

const secrets = fc.array(fc.string({ minLength: 4, maxLength: 24, unit: "grapheme" }), {
  minLength: 1,
  maxLength: 5,
});

Deno.test("stream() gives the same bytes wherever the chunks are cut", () => {
  const piece = fc.oneof(fc.string({ unit: "binary" }), fc.nat(4));
  fc.assert(
    fc.property(secrets, fc.array(piece), fc.array(fc.nat(200)), (known, pieces, cuts) => {
      const masker = createMasker(known);
      const text = pieces.map((p) => typeof p === "number" ? known[p % known.length] : p).join("");
      const bytes = encoder.encode(text);
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
        .sort((a, b) => a - b);
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      assert.equal(pushAll(masker, chunks), pushAll(masker, [bytes]));
    }),
    { numRuns: 500 },
  );
});

Deno.test("text() leaves no secret of four characters or more in any text", () => {
  // Letters that the mask does not consist of, so that it cannot itself spell a secret.
  const secret = fc.stringMatching(/^[a-c0-1=\/+ '"\\\n-]{4,12}$/);
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1 }), fc.array(fc.string()), (known, noise) => {
      const masker = createMasker(known);
      const text = known.map((one, index) => `${noise[index] ?? ""}${one}`).join("");
      const masked = masker.text(text);
      for (const one of known) assert.ok(!masked.includes(one), JSON.stringify({ text, masked }));
    }),
    { numRuns: 500 },
  );
});

Deno.test("text() does not change what holds no secret", () => {
  const masker = createMasker(["QQQQ-never-there-0000", 'ZZZZ{"another": "one-of-them"}']);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (text, bytes) => {
      assert.equal(masker.text(text), text);
      const stream = masker.stream();
      assert.deepEqual([...stream.push(bytes), ...stream.end()], [...bytes]);
    }),
    { numRuns: 1000 },
  );
});
