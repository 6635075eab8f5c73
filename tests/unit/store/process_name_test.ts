import assert from "node:assert/strict";
import { join } from "node:path";
import type { ProcessName } from "../../../src/store/process_name.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test({
  name: "run from source, as when installed, a process is named by its boot and its start",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const root = new URL("../../../", import.meta.url);
    const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
    const allowed = (tasks.grid.command as string).match(/(?:--allow-[\w-]+|-A)(?= )/g) ?? [];
    const { href } = new URL("src/store/process_name.ts", root);
    const program = `import { ownProcess } from ${JSON.stringify(href)};` +
      "console.log(JSON.stringify(ownProcess()))";
    using folder = tempDir();
    const main = join(folder.path, "main.ts");
    Deno.writeTextFileSync(main, program);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-check", ...allowed, main],
    }).output();
    const { place, born }: ProcessName = JSON.parse(new TextDecoder().decode(stdout));
    assert.match(place, /^\S+ [0-9a-f-]{36} pid:\[\d+\]$/);
    assert.match(born, /^\d+$/);
  },
});
