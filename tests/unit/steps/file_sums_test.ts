import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { join } from "node:path";
import { FileSums } from "../../../src/steps/file_sums.ts";
import { hashFiles } from "../../../src/steps/hash_files.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { interrupted, whileAdvancing } from "../../support/fake_engine.ts";
import { tempDir } from "../../support/temp_dir.ts";

const never = new AbortController().signal;
const OLD = new Date("2026-01-01T00:00:00Z");

/** Files of one byte over what is read at once, changed long ago by the clock that is asked. */
function rig(files: Readonly<Record<string, string>>) {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(join(folder.path, name), text);
    Deno.utimeSync(join(folder.path, name), OLD, OLD);
  }
  const clock = new FakeClock(Date.now() + 60_000);
  const sums = new FileSums({ clock, atOnceBytes: 8 });
  return {
    clock,
    sums,
    path: (name: string) => join(folder.path, name),
    hash: (...patterns: string[]) => hashFiles(patterns, { project: folder.path, sums }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("FileSums reads little at once, also where somebody could wait", () => {
  using files = rig({ "a.txt": "little" });
  const attempted = files.sums.attempt(() => files.hash("*.txt"));
  assert.deepEqual(attempted, { value: files.hash("*.txt") });
});

Deno.test("FileSums has much read before, and then has the same to say as without", async () => {
  using files = rig({ "a.txt": "not so little", "b.txt": "2" });
  const first = files.sums.attempt(() => files.hash("*.txt"));
  assert.ok("read" in first);
  await first.read(never);
  assert.deepEqual(files.sums.attempt(() => files.hash("*.txt")), { value: files.hash("*.txt") });
  assert.equal(files.sums.of(files.path("a.txt")), hash("sha256", "not so little"));
});

Deno.test("FileSums takes what nobody can wait for at once, whatever its size", () => {
  using files = rig({ "a.txt": "not so little" });
  assert.match(files.hash("*.txt"), /^[0-9a-f]{64}$/);
});

Deno.test("FileSums does not believe what it read of a file that is another by now", async () => {
  using files = rig({ "a.txt": "not so little" });
  const first = files.sums.attempt(() => files.hash("*.txt"));
  assert.ok("read" in first);
  await first.read(never);
  const before = files.hash("*.txt");
  Deno.writeTextFileSync(files.path("a.txt"), "NOT SO LITTLE");
  assert.notEqual(files.hash("*.txt"), before);
  assert.ok("read" in files.sums.attempt(() => files.hash("*.txt")));
});

Deno.test("FileSums gives nothing for what was made of an answer that is not there yet", () => {
  using files = rig({ "a.txt": "not so little" });
  const attempted = files.sums.attempt(() => {
    try {
      return files.hash("*.txt");
    } catch {
      return "caught";
    }
  });
  assert.ok("read" in attempted);
});

Deno.test("FileSums passes on what fails by itself", () => {
  using files = rig({});
  assert.throws(() => files.sums.attempt(() => files.hash("@(a|b)")), /@\(a\|b\)/);
  assert.equal(files.hash("nothing"), "");
});

Deno.test("FileSums waits until a file can no longer change unseen, and no longer", async () => {
  using files = rig({ "a.txt": "not so little" });
  const changedAt = Deno.statSync(files.path("a.txt")).ctime?.getTime() ?? 0;
  const clock = new FakeClock(changedAt + 500);
  const sums = new FileSums({ clock, atOnceBytes: 8 });
  const attempted = sums.attempt(() => sums.announce([files.path("a.txt")]));
  assert.ok("read" in attempted);
  await whileAdvancing(attempted.read(never), clock);
  assert.ok(clock.now() >= changedAt + 2000 && clock.now() < changedAt + 2200, `${clock.now()}`);
  // By a server's clock it may even have changed in the future.
  const ahead = new FakeClock(changedAt - 3_600_000);
  const late = new FileSums({ clock: ahead, atOnceBytes: 8 });
  const again = late.attempt(() => late.announce([files.path("a.txt")]));
  assert.ok("read" in again);
  await whileAdvancing(again.read(never), ahead);
  assert.ok(ahead.now() < changedAt - 3_600_000 + 2200);
});

Deno.test("FileSums stops reading when it is told to, and others are heard meanwhile", async () => {
  using files = rig({});
  const file = Deno.openSync(files.path("large"), { create: true, write: true });
  // With a hole, it takes no room and yet long to read.
  file.truncateSync(4 * 1024 ** 3);
  file.close();
  const attempted = files.sums.attempt(() => files.hash("large"));
  assert.ok("read" in attempted);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(interrupted()), 50);
  await assert.rejects(attempted.read(stop.signal), (error) => error === stop.signal.reason);
  clearTimeout(timer);
});

Deno.test("FileSums leaves it to who asks to say what cannot be read", async () => {
  using files = rig({ "a.txt": "not so little" });
  const attempted = files.sums.attempt(() => files.hash("*.txt"));
  assert.ok("read" in attempted);
  Deno.removeSync(files.path("a.txt"));
  Deno.mkdirSync(files.path("a.txt"));
  await attempted.read(never);
  assert.throws(() => files.sums.of(files.path("a.txt")), /Cannot read ".*a\.txt"/);
});
