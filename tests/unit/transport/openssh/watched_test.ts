import assert from "node:assert/strict";
import { join } from "node:path";
import { WATCHED } from "../../../../src/transport/openssh/watched.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const SHELLS = [["dash"], ["bash"], ["busybox", "sh"]] as const;

for (const [name, ...words] of SHELLS) {
  testWith([name], `the end of our pipe ends all that ${name} has become`, async () => {
    using folder = tempDir();
    const place = join(folder.path, "of ssh");
    Deno.mkdirSync(place);
    // What ssh starts, a proxy command for one, lives beside it and holds its output open.
    const program = "sleep 60 & echo up; wait";
    const child = new Deno.Command(name, {
      args: [...words, "-c", WATCHED, place, "sh", "-c", program],
      stdin: "piped",
      stdout: "piped",
      detached: true,
    }).spawn();
    const reader = child.stdout.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "up\n");
    await child.stdin.close();
    // Not before the last of them is gone.
    assert.equal((await reader.read()).done, true);
    assert.equal((await child.status).signal, "SIGKILL");
    assert.throws(() => Deno.statSync(place), Deno.errors.NotFound);
  });
}
