/** The lock of a folder on a node, in each shell that a node may have. */
import assert from "node:assert/strict";
import { quote } from "../../../src/core/shell.ts";
import { nodePrelude } from "../../../src/transport/node_program.ts";
import { folderLock } from "../../../src/sync/folder_lock.ts";
import { type Part, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Says who has it, or that it is its own; and stays as long as somebody writes to its stdin. */
function script(folder: string, owner: string): string {
  return [
    nodePrelude(),
    folderLock(),
    `fail() { echo "failed $1"; exit 1; }`,
    `lock=${quote(folder)}/lock owner=${owner}`,
    "know_lock",
    'if try_lock; then echo "mine $locked"; cat; else echo "$holder"; fi',
  ].join("\n");
}

const SHELLS: readonly (readonly [Part, readonly string[]])[] = [
  ["dash", ["dash"]],
  ["bash", ["bash", "--posix"]],
  ["busybox", ["busybox", "ash"]],
];

for (const [part, [program = "", ...words]] of SHELLS) {
  testWith(
    [part],
    `folder lock in ${part}: it is held as long as its process lives, and no longer`,
    async () => {
      using dir = tempDir();
      const start = (owner: string) =>
        new Deno.Command(program, {
          args: [...words, "-c", script(dir.path, owner)],
          stdin: "piped",
          stdout: "piped",
        }).spawn();
      const ask = async (owner: string) => {
        await using process = start(owner);
        await process.stdin.close();
        return (await new Response(process.stdout).text()).trim();
      };
      const owner = `${dir.path}/lock/owner`;
      const first = start("first");
      const said = first.stdout.getReader();
      assert.equal(new TextDecoder().decode((await said.read()).value).trim(), "mine yes");
      assert.match(await ask("second"), /^first \S+ \d+$/);
      const long = new Date("2020-01-01");
      Deno.utimeSync(owner, long, long);
      assert.match(await ask("third"), /^first \S+ \d+$/, "what takes long is not dead");
      first.kill("SIGKILL");
      await first.status;
      await said.cancel();
      await first.stdin.close().catch(() => {});
      assert.equal(await ask("fourth"), "mine yes", "nobody waits for what was killed");

      Deno.writeTextFileSync(owner, "fifth elsewhere 1\n");
      assert.equal(await ask("sixth"), "fifth elsewhere 1", "another host is believed");
      Deno.utimeSync(owner, long, long);
      assert.equal(await ask("seventh"), "mine yes", "but not for ever");
      Deno.writeTextFileSync(owner, `eighth ${Deno.hostname()} ${Deno.pid}\n`);
      assert.match(
        await ask("ninth"),
        /^eighth/,
        "one of an earlier version does not keep it open",
      );
      Deno.utimeSync(owner, long, long);
      assert.equal(await ask("tenth"), "mine yes");
      assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["lock"]);
    },
  );
}
