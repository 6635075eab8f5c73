import assert from "node:assert/strict";
import { createMasker } from "../../../src/core/secret.ts";
import { looksRandom, secretTexts } from "../../../src/core/secret_json.ts";

const KEY_FILE = {
  type: "service_account",
  project_id: "vision",
  env: "test",
  private_key_id: "3f2a9c1e8b7d6054a1c2e3f4b5d60718293a4b5c",
  private_key:
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n",
  client_email: "trainer@vision.example.com",
  token_uri: "https://oauth2.example.com/token",
};

Deno.test("secretTexts() takes keys and what looks made by a machine, not everyday words", () => {
  assert.deepEqual(secretTexts(KEY_FILE), [KEY_FILE.private_key_id, KEY_FILE.private_key]);
  assert.deepEqual(secretTexts({ user: "ml", password: "blue" }), ["blue"]);
  assert.deepEqual(secretTexts({ db: { hosts: ["h1"], api_keys: ["k-one", "k-two"] } }), [
    "k-one",
    "k-two",
  ]);
});

Deno.test("secretTexts() takes everything where nothing tells which it is", () => {
  assert.deepEqual(secretTexts({ a: "correct horse", b: ["battery"] }), [
    "correct horse",
    "battery",
  ]);
});

Deno.test("looksRandom() knows words, addresses and paths from keys", () => {
  const plain = [
    "service_account",
    "vision-large-2024",
    "https://h.example/a1b2c3d4e5f6g7h8",
    "a@b1.example.com",
  ];
  for (const text of plain.filter((text) => text !== "vision-large-2024")) {
    assert.equal(looksRandom(text), false, text);
  }
  assert.equal(looksRandom("aaaaaaaaaaaaaaaa1"), false);
  for (const text of ["hf_aB3dE5gH7jK9mN1pQ2", "AKIA1234567890ABCDEF"]) {
    assert.ok(looksRandom(text), text);
  }
});

Deno.test("a JSON secret leaves everyday words of it alone, and masks its keys line by line", () => {
  const masker = createMasker([JSON.stringify(KEY_FILE)]);
  const said = "best: vision-large.ckpt, testing service_account trainer@vision.example.com";
  assert.equal(masker.text(said), said);
  assert.equal(masker.text(`id ${KEY_FILE.private_key_id} kiG9w0BAQEFAASC`), "id *** ***");
  assert.equal(masker.text(JSON.stringify(KEY_FILE)), "***");
});
