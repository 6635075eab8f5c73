/** What Python has once made of the driver's text is kept, and loaded where nobody else can have written it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bootSource } from "../../../src/ray/driver_source.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { testWith } from "../../support/requires.ts";

class Place implements Disposable {
  readonly #folder = tempDir();
  readonly kept = join(this.#folder.path, "compiled");

  constructor() {
    Deno.mkdirSync(join(this.#folder.path, "step"));
    this.write("spec", "");
    this.write("driver.py", "import sys\nprint('first')\nREST_OF_DRIVER = True\nprint('rest')\n");
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(join(this.#folder.path, "step", name), text);
  }

  /** With `ray`, whose absence it bears: then it forks no workers. */
  async run(): Promise<string> {
    const words = ["driver.py", "spec"].map((name) => join(this.#folder.path, "step", name));
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", bootSource(), "ray", ...words],
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  }

  files(): string[] {
    return [...Deno.readDirSync(this.kept)].map(({ name }) => join(this.kept, name));
  }

  /** Puts other code in the place of what was kept, as sound as that. */
  async plant(): Promise<void> {
    const program = "import hashlib, marshal, sys\n" +
      "made = marshal.dumps(compile('print(\"kept\")', 'x', 'exec'))\n" +
      "open(sys.argv[1], 'wb').write(hashlib.sha256(made).digest() + made)";
    for (const file of this.files()) {
      await new Deno.Command("python3", { args: ["-c", program, file] }).output();
    }
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

const FRESH = "first\nrest\n";
const KEPT = "kept\nkept\n";

testWith(["python3"], "what was made of the driver's text is kept, and loaded", async () => {
  using place = new Place();
  assert.equal(await place.run(), FRESH);
  assert.equal(Deno.statSync(place.kept).mode! & 0o777, 0o700);
  assert.deepEqual(place.files().map((file) => Deno.statSync(file).mode! & 0o777), [0o600, 0o600]);
  await place.plant();
  assert.equal(await place.run(), KEPT);
  place.write("driver.py", "print(1)\nREST_OF_DRIVER = True\nprint(2)\n");
  assert.equal(await place.run(), "1\n2\n");
});

testWith(["python3"], "what others can write is never loaded", async () => {
  using place = new Place();
  await place.run();
  await place.plant();
  Deno.chmodSync(place.kept, 0o720);
  assert.equal(await place.run(), FRESH);
  Deno.chmodSync(place.kept, 0o700);
  await place.plant();
  assert.equal(await place.run(), KEPT);
  for (const file of place.files()) Deno.chmodSync(file, 0o602);
  assert.equal(await place.run(), FRESH);
});

testWith(["python3"], "what lies behind a link or is cut short is never loaded", async () => {
  using place = new Place();
  await place.run();
  await place.plant();
  const elsewhere = `${place.kept}.elsewhere`;
  Deno.renameSync(place.kept, elsewhere);
  Deno.symlinkSync(elsewhere, place.kept);
  assert.equal(await place.run(), FRESH);
  Deno.removeSync(place.kept);
  Deno.renameSync(elsewhere, place.kept);
  for (const file of place.files()) Deno.truncateSync(file, Deno.statSync(file).size - 1);
  assert.equal(await place.run(), FRESH);
  // And was made anew.
  await place.plant();
  assert.equal(await place.run(), KEPT);
});

testWith(["python3", "root"], "what others own is never loaded", async () => {
  using place = new Place();
  await place.run();
  await place.plant();
  for (const file of place.files()) Deno.chownSync(file, 54321, 54321);
  assert.equal(await place.run(), FRESH);
  await place.plant();
  assert.equal(await place.run(), KEPT);
  Deno.chownSync(place.kept, 54321, 54321);
  assert.equal(await place.run(), FRESH);
});
