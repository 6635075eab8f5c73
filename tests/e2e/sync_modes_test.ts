/** What a sync gives its files as modes, whatever the umask: on this machine as over ssh. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { quoteAll } from "../../src/core/shell.ts";
import { programArgs, project } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

/** Path → mode of what a tar archive of the folder gives root under this umask. */
async function unpacked(folder: string, umask: string): Promise<string> {
  const script = `umask ${umask}; mkdir ../out; tar -cf - . | tar -C ../out -xof -; cd ../out; ` +
    "find . -mindepth 1 -printf '%P %m\\n' | sort";
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script], cwd: folder }).output();
  return new TextDecoder().decode(stdout);
}

testWith(["root"], "root's umask closes no synced file, on this machine neither", async () => {
  using folder = project({ "code/a.py": "a", "code/bin/go": "#!/bin/sh\n" });
  const code = join(folder.path, "code");
  Deno.chmodSync(join(code, "bin/go"), 0o755);
  const words = quoteAll([Deno.execPath(), ...programArgs(["sync", "code", "--to", "local1"])]);
  const script = `umask 077; ${words} && cd .grid/nodes/local1/code && ` +
    "find . -mindepth 1 -printf '%P %m\\n' | sort";
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stdout), await unpacked(code, "077"), decoder.decode(stderr));
});
