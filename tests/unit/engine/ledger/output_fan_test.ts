import assert from "node:assert/strict";
import { createMasker } from "../../../../src/core/secret.ts";
import { createOutputFan } from "../../../../src/engine/ledger/output_fan.ts";
import type { RunReader } from "../../../../src/engine/reader.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A reader that keeps what it is given, per stream. */
function keeper(): { reader: RunReader; text: () => string } {
  const chunks: string[] = [];
  const decoder = new TextDecoder();
  return {
    reader: {
      event: () => {},
      output: ({ bytes }) => void chunks.push(decoder.decode(bytes, { stream: true })),
    },
    text: () => chunks.join(""),
  };
}

Deno.test("createOutputFan() masks a secret that is split between two writes, for every reader", async () => {
  const [first, second] = [keeper(), keeper()];
  const fan = createOutputFan({
    masker: createMasker(["sesame-open"]),
    readers: [first.reader, second.reader],
  });
  {
    await using output = fan.open({ step: "s", attempt: 1 });
    await output.write("stdout", encode("say sesame"));
    await output.write("stdout", encode("-open now"));
  }
  assert.equal(first.text(), "say *** now");
  assert.equal(second.text(), "say *** now");
});

Deno.test("createOutputFan() waits for a reader that asks for time", async () => {
  const gate = Promise.withResolvers<void>();
  const fan = createOutputFan({
    masker: createMasker([]),
    readers: [{ event: () => {}, output: () => gate.promise }],
  });
  await using output = fan.open({ step: "s", attempt: 1 });
  let done = false;
  const written = Promise.resolve(output.write("stdout", encode("x"))).then(() => done = true);
  await Promise.resolve();
  assert.equal(done, false);
  gate.resolve();
  await written;
});

Deno.test("createOutputFan() keeps the first bytes, marks the rest once, and drops it", async () => {
  const { reader, text } = keeper();
  const fan = createOutputFan({ masker: createMasker([]), readers: [reader], maxBytes: 10 });
  {
    await using output = fan.open({ step: "s", attempt: 1 });
    await output.write("stdout", encode("123456"));
    await output.write("stderr", encode("7890abc"));
    await output.write("stdout", encode("more"));
  }
  assert.equal(text(), "1234567890\n[grid: output beyond 10 B was left out]\n");
});

Deno.test("createOutputFan() adds no mark to output that just fits", async () => {
  const { reader, text } = keeper();
  const fan = createOutputFan({ masker: createMasker([]), readers: [reader], maxBytes: 3 });
  {
    await using output = fan.open({ step: "s", attempt: 1 });
    await output.write("stdout", encode("123"));
  }
  assert.equal(text(), "123");
});
