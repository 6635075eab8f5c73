import assert from "node:assert/strict";
import { createMasker } from "../../../src/core/secret.ts";
import { secretForms } from "../../../src/core/secret_forms.ts";

const encoder = new TextEncoder();

/** Letters in no order, the same in every run. */
function letters(length: number): string {
  let state = length;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return (state >> 16).toString(36).at(-1);
  }).join("");
}

function wrapped(text: string, width: number): string {
  return text.replaceAll(new RegExp(`.{${width}}`, "g"), "$&\n");
}

for (const width of [64, 76]) {
  Deno.test(`base64 in lines of ${width} is masked wherever the secret stands in it`, () => {
    for (let length = 4; length < 160; length += length < 60 ? 1 : 7) {
      const secret = letters(length);
      const masker = createMasker([secret]);
      for (let before = 0; before <= width + 3; before++) {
        const base64 = encoder.encode(`${"-".repeat(before)}${secret}----`).toBase64();
        const [first, end] = [Math.ceil(before * 8 / 6), Math.floor((before + length) * 8 / 6)];
        const left = masker.text(wrapped(base64, width)).replaceAll(/\*\*\*|\n/g, "");
        assert.equal(left, base64.slice(0, first) + base64.slice(end), `${length} after ${before}`);
      }
    }
  });
}

Deno.test("a key of many lines is masked in base64 after anything", () => {
  const key = `-----BEGIN KEY-----\n${wrapped(letters(1600), 64)}\n-----END KEY-----\n`;
  const masker = createMasker([key]);
  for (let before = 0; before < 90; before++) {
    const base64 = encoder.encode("-".repeat(before) + key).toBase64();
    const left = masker.text(wrapped(base64, 76)).replaceAll(/\*\*\*|\n/g, "");
    const first = Math.ceil(before * 8 / 6);
    // The line feed at the end is no part of the secret.
    assert.equal(left.slice(0, first), base64.slice(0, first));
    assert.ok(left.length - first <= 4, left);
  }
});

Deno.test("hex digits of either case are masked", () => {
  const hex = encoder.encode("pä/ss\n").toHex();
  assert.equal(createMasker(["pä/ss\n"]).text(hex), "***0a");
  assert.equal(createMasker(["pä/ss"]).text(hex.toUpperCase()), "***0A");
});

Deno.test("an ordinary secret has few forms", () => {
  assert.ok(secretForms("hunter2000").size < 20);
  assert.ok(secretForms("3f1f6a52-7f0e-4a55-9d57-0c1e1f7f5d11").size < 50);
  assert.ok(secretForms('s3cr3t/Pa+ss\'word $HOME\\x "quoted" ü').size < 130);
});
