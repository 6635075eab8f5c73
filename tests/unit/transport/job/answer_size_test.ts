import assert from "node:assert/strict";
import { AnswerSize } from "../../../../src/transport/job/answer_size.ts";

const LARGEST = 2 * 2 ** 20;
const later = (ms: number, bytes: number) =>
  new Promise<Uint8Array>((resolve) => setTimeout(resolve, ms, new Uint8Array(bytes)));

Deno.test("answers grow while they come quickly, up to a limit", async () => {
  const size = new AnswerSize();
  assert.equal(size.creditFor(1), 65_536);
  for (let round = 0; round < 10; round++) await size.watch(later(0, size.creditFor(1)));
  assert.equal(size.creditFor(1), LARGEST);
});

Deno.test("an answer that brings little tells nothing about the link", async () => {
  const size = new AnswerSize();
  await size.watch(later(0, 100));
  await size.watch(later(700, 100));
  assert.equal(size.creditFor(1), 65_536);
});

Deno.test("answers shrink over a slow link", async () => {
  const size = new AnswerSize();
  for (let round = 0; round < 3; round++) await size.watch(later(0, size.creditFor(1)));
  const before = size.creditFor(1);
  await size.watch(later(700, before));
  assert.equal(size.creditFor(1), before / 2);
});

Deno.test("many jobs share what one answer may bring, and none gets too little", async () => {
  const size = new AnswerSize();
  for (let round = 0; round < 10; round++) await size.watch(later(0, size.creditFor(1)));
  assert.equal(size.creditFor(8), 2 ** 20);
  assert.equal(size.creditFor(10_000), 65_536);
});
