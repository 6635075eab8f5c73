import assert from "node:assert/strict";
import type { Container } from "../../../src/pipeline/pipeline.ts";
import { LastWords } from "../../../src/steps/last_words.ts";

const CONTAINER: Container<string> = {
  image: "python:3.12",
  engine: "docker",
  gpus: "none",
  volumes: [],
  user: undefined,
  options: [],
};
const DIGEST = `docker.io/library/python@sha256:${"0f".repeat(32)}`;

function imagesOf(stderr: string, container: Container<string> | undefined): string[] {
  const words = new LastWords();
  words.push("stderr", new TextEncoder().encode(stderr));
  const images: string[] = [];
  words.tellImage(container === undefined ? {} : { container }, {
    ranIn: (image) => void images.push(image),
  });
  return images;
}

Deno.test("hint() of a program that is not there speaks of the image, where the command ran in one", () => {
  const of = (stderr: string) => {
    const words = new LastWords();
    words.push("stderr", new TextEncoder().encode(stderr));
    return words.hint({ kind: "code", code: 127 }, { canAnswer: true }).hint ?? "";
  };
  const missing = "grid: eval: line 0: conda: not found\n";
  assert.match(of(missing), /a job's shell reads no login files/);
  assert.match(
    of(`${missing}grid: in docker, image ${DIGEST}\n`),
    /^"conda" is not on PATH in the image/,
  );
});

Deno.test("tellImage() tells what the job's own shell says last of a container, and nothing else", () => {
  const said = `grid: in docker, image ${DIGEST}\n`;
  assert.deepEqual(imagesOf(`warning\n${said}`, CONTAINER), [DIGEST]);
  assert.deepEqual(imagesOf(said, CONTAINER), [DIGEST]);
  // A command that runs in none may print what it likes.
  assert.deepEqual(imagesOf(said, undefined), []);
  for (const other of [`${said}more\n`, `x${said}`, "grid: in docker, image <b>\n", ""]) {
    assert.deepEqual(imagesOf(other, CONTAINER), [], other);
  }
});
