import assert from "node:assert/strict";
import { join } from "node:path";
import { openStore } from "../../../src/store/open.ts";
import { tempDir } from "../../support/temp_dir.ts";

const WRITER = join(import.meta.dirname ?? ".", "..", "..", "support", "store_writer.ts");

Deno.test("openStore() lets several processes make and write the same file at once", async () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  const writers = ["r1", "r2", "r3"].map((run) => spawn([path, run, "200"]).output());
  for (const { success, stderr } of await Promise.all(writers)) {
    assert.ok(success, new TextDecoder().decode(stderr));
  }
  using store = openStore(path);
  for (const run of ["r1", "r2", "r3"]) {
    const messages = store.events(run).flatMap((event) =>
      event.type === "warned" ? [Number(event.message)] : []
    );
    assert.deepEqual(messages, Array.from({ length: 200 }, (_, index) => index));
  }
});

Deno.test("append() loses nothing when the process is killed with -9", async () => {
  using dir = tempDir();
  for (const after of [1, 50, 400]) {
    const path = join(dir.path, `${after}.db`);
    const child = spawn([path, "r", "1000000"]);
    const lastSeen = await readUntil(child.stdout, after);
    child.kill("SIGKILL");
    await Promise.all([child.status, child.stderr.cancel()]);
    using store = openStore(path);
    const kept = store.events("r").filter(({ type }) => type === "warned");
    assert.ok(kept.length > lastSeen, `${kept.length} kept, ${lastSeen} were confirmed`);
    kept.forEach((event, index) =>
      assert.equal(event.type === "warned" && event.message, String(index))
    );
  }
});

function spawn(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WRITER, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The last number that the writer confirmed by the time it confirmed `number`. */
async function readUntil(stdout: ReadableStream<Uint8Array>, number: number): Promise<number> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stdout) {
    text += decoder.decode(bytes, { stream: true });
    const confirmed = text.split("\n").slice(0, -1).map(Number);
    const last = confirmed.at(-1) ?? -1;
    if (last >= number) return last;
  }
  throw new Error("the writer ended early");
}
