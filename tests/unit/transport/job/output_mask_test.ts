/** Both programs that mask a command's output, beside the masker of the runner as the model. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createMasker } from "../../../../src/core/secret.ts";
import { secretForms } from "../../../../src/core/secret_forms.ts";
import { maskPatterns } from "../../../../src/transport/job/output_mask.ts";
import { MASK_PROGRAMS, maskFiles, type MaskProgram } from "../../../support/mask_program.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const encoder = new TextEncoder();

Deno.test("maskPatterns() gives every form once in hex, the longest first", () => {
  const lines = maskPatterns(["hunter2000", "hunter2000", "päss/word"]).split("\n");
  assert.equal(lines.pop(), "");
  assert.equal(lines.pop(), ".", "what comes without it is no whole list");
  const texts = lines.map((line) => new TextDecoder().decode(Uint8Array.fromHex(line)));
  const forms = new Set([...secretForms("hunter2000"), ...secretForms("päss/word")]);
  assert.deepEqual(texts.toSorted(), [...forms].toSorted());
  const lengths = lines.map((line) => line.length);
  assert.deepEqual(lengths, lengths.toSorted((a, b) => b - a));
});

Deno.test("maskPatterns() has nothing to say of values that are too short to be masked", () => {
  assert.equal(maskPatterns(["", "abc"]), "");
});

/** What the masker of the runner makes of it. */
function masked(secrets: readonly string[], bytes: Uint8Array): Uint8Array {
  const stream = createMasker(secrets).stream();
  return Uint8Array.from([...stream.push(bytes), ...stream.end()]);
}

/** What the rules of "Masking" in docs/nodes.md come to; the same for all three. */
const VECTORS: readonly (readonly [secrets: readonly string[], text: string, masked: string])[] = [
  [["hunter2000"], "a hunter2000 b hunter2000", "a *** b ***"],
  [["hunter2000"], "hunter2000hunter2000", "******"],
  [["hunter2000"], "hunter200 unter2000", "hunter200 unter2000"],
  [["hunter2000"], `${btoa("hunter2000")} ${btoa("x: hunter2000")}`, "***A== eDog***A=="],
  [["hunter2000", "hunter2000-and-more"], "hunter2000-and-more hunter2000-and", "*** ***-and"],
  [["abab1", "bab1c"], "xabab1cx", "x***x"],
  [["aaab"], "aaaab", "a***"],
  [["abc"], "abc", "abc"],
  [["päss/word"], "päss/word p%C3%A4ss%2Fword", "*** ***"],
];

for (const [secrets, text, expected] of VECTORS) {
  Deno.test(`the masker of the runner makes ${expected} of ${text}`, () => {
    assert.equal(createMasker(secrets).text(text), expected);
    const bytes = encoder.encode(text);
    assert.equal(new TextDecoder().decode(masked(secrets, bytes)), expected);
  });
}

/** Secrets of few letters, so that they overlap, begin each other and repeat themselves. */
const secret = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b"), minLength: 4, maxLength: 9 }),
  fc.string({ unit: "grapheme", minLength: 4, maxLength: 40 }),
);
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom("\0", "\r\n", "50 %\r", "ab", "aab", "\xff").map((text) => encoder.encode(text)),
);
/** Noise, and forms of the secrets, also cut short. */
const piece = fc.record({ noise, pick: fc.nat(), cut: fc.option(fc.nat()) });

function plant(secrets: readonly string[], pieces: readonly Piece[]): Uint8Array {
  const forms = secrets.flatMap((one) => [...secretForms(one)]).map((form) => encoder.encode(form));
  return Uint8Array.from(pieces.flatMap(({ noise, pick, cut }) => {
    const form = forms[pick % forms.length] ?? new Uint8Array();
    return [...noise, ...(cut === null ? form : form.subarray(0, cut % (form.length + 1)))];
  }));
}

type Piece = typeof piece extends fc.Arbitrary<infer T> ? T : never;

for (const program of MASK_PROGRAMS) describe(program);

function describe(program: MaskProgram): void {
  const test = (name: string, run: () => Promise<void>) =>
    testWith([program.part], `${program.name} ${name}`, run);

  test("writes what the masker of the runner writes, however few bytes it reads at a time", async () => {
    using folder = tempDir();
    const property = fc.asyncProperty(
      fc.array(secret, { minLength: 1, maxLength: 4 }),
      fc.array(piece, { maxLength: 12 }),
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom(1, 2, 3, 5, 7, 64, undefined),
      async (secrets, out, err, readSize) => {
        const [outBytes, errBytes] = [plant(secrets, out), plant(secrets, err)];
        const files = await maskFiles(program.argv(readSize), {
          folder: folder.path,
          patterns: maskPatterns(secrets),
          out: outBytes,
          err: errBytes,
        });
        assert.deepEqual(files.out, masked(secrets, outBytes));
        assert.deepEqual(files.err, masked(secrets, errBytes));
        assert.equal(files.answers, "ready\nflushed\n");
      },
    );
    await fc.assert(property, { numRuns: 80 });
  });

  for (const [secrets, text, expected] of VECTORS) {
    test(`makes ${expected} of ${text}`, async () => {
      using folder = tempDir();
      const [out, patterns] = [encoder.encode(text), maskPatterns(secrets) || ".\n"];
      const files = await maskFiles(program.argv(), {
        folder: folder.path,
        patterns,
        out,
        err: out,
      });
      for (const bytes of [files.out, files.err]) {
        assert.equal(new TextDecoder().decode(bytes), expected);
      }
    });
  }

  test("masks a secret that a read cuts at any byte", async () => {
    using folder = tempDir();
    const form = encoder.encode(`s3cret/"quoted"-päss-${"0123456789".repeat(8)}`);
    const secrets = [new TextDecoder().decode(form), "0123456789-there"];
    const chunks = Array.from({ length: form.length + 1 }, (_, before) => {
      const chunk = new Uint8Array(2 * 65_536).fill(46);
      chunk.set(form, 65_536 - before);
      return chunk;
    });
    const out = new Uint8Array(await new Blob(chunks).arrayBuffer());
    const files = await maskFiles(program.argv(), {
      folder: folder.path,
      patterns: maskPatterns(secrets),
      out,
      err: new Uint8Array(),
    });
    const text = new TextDecoder().decode(files.out);
    assert.equal(text.replaceAll(".", ""), "***".repeat(chunks.length));
    assert.equal(text.length, out.length - chunks.length * (form.length - 3));
  });

  test("lets nothing through where its list was cut off", async () => {
    using folder = tempDir();
    const out = encoder.encode("a hunter2000 b");
    const whole = maskPatterns(["hunter2000"]);
    for (const patterns of ["", whole.slice(0, -2), whole.slice(0, whole.indexOf("\n") + 1)]) {
      const argv = program.argv();
      const work = maskFiles(argv, { folder: folder.path, patterns, out, err: out });
      await assert.rejects(work, /the program failed/);
      for (const name of ["to.out", "to.err"]) {
        assert.equal(Deno.readTextFileSync(`${folder.path}/${name}`), "");
      }
    }
  });

  test("copies every byte that belongs to no secret", async () => {
    using folder = tempDir();
    const bytes = crypto.getRandomValues(new Uint8Array(65_000));
    const out = new Uint8Array(await new Blob(Array(9).fill(bytes)).arrayBuffer());
    const patterns = maskPatterns(["a-secret-that-is-never-printed", "Zq9~"]);
    const argv = program.argv();
    const files = await maskFiles(argv, { folder: folder.path, patterns, out, err: bytes });
    assert.deepEqual(files.out, masked(["Zq9~"], out));
    assert.deepEqual(files.err, masked(["Zq9~"], bytes));
  });
}
