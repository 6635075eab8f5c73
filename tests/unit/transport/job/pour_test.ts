/** What hands a job its input, run as it is: over the kernel's own way from pipe to pipe, and without. */
import assert from "node:assert/strict";
import { jobProgram } from "../../../../src/transport/job/job_script.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const SIZES = [1, 31, 32, 33, 70_001, 2 ** 20, 5];
const INPUT = Uint8Array.from(
  { length: SIZES.reduce((sum, size) => sum + size, 0) },
  (_, index) => (index * 31 + index / 977) % 256,
);
const WAYS = {
  "from pipe to pipe": (program: string) => program,
  // As where the kernel has none, or a sandbox forbids it.
  "where the kernel refuses": (program: string) => program.replaceAll(/=> (275|76)\b/g, "=> 99999"),
};

for (const [way, change] of Object.entries(WAYS)) {
  testWith(["perl"], `a command's pipe is given every byte once: ${way}`, async () => {
    using folder = tempDir();
    const program = change(jobProgram("pour.pl"));
    assert.equal(program === jobProgram("pour.pl"), way === "from pipe to pipe");
    const pouring = new Deno.Command("sh", {
      args: [
        "-c",
        'mkfifo j.in j.bell; exec 3<>j.bell; cat j.in >got & exec 9<>note; perl -e "$0" "$PWD/j" 7; wait',
        program,
      ],
      cwd: folder.path,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = pouring.stdin.getWriter();
    let at = 0;
    for (const size of SIZES) {
      await writer.write(new TextEncoder().encode(`${size}\n`));
      await writer.write(INPUT.slice(at, at += size));
    }
    await writer.write(new TextEncoder().encode("end\n"));
    writer.releaseLock();
    const { stdout, success } = await pouring.output();
    await pouring.stdin.close();
    assert.ok(success);
    assert.deepEqual(Deno.readFileSync(`${folder.path}/got`), INPUT);
    const told = new TextDecoder().decode(stdout).trim().split("\n");
    assert.equal(told.at(-1), "end");
    for (const word of told.slice(0, -1)) assert.ok(Number(word) > 7);
    assert.match(
      Deno.readTextFileSync(`${folder.path}/note`),
      RegExp(`^E ${7 + INPUT.length} +\\d+\n$`),
    );
  });
}
