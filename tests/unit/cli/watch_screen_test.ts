import assert from "node:assert/strict";
import type { CliContext } from "../../../src/cli/context.ts";
import { openPreview } from "../../../src/cli/watch_screen.ts";

function contextOf(changes: Partial<CliContext>) {
  const written: string[] = [];
  const context = {
    stdout: (text: string) => void written.push(text),
    stdoutIsTerminal: true,
    rows: () => 4,
    env: {},
    ...changes,
  };
  return { context: context as unknown as CliContext, written };
}

Deno.test("openPreview() draws what fits on the screen, and says before what does not", () => {
  const { context, written } = contextOf({});
  using preview = openPreview(context);
  assert.deepEqual([preview.isLive, preview.hasRoom(3), preview.hasRoom(4)], [true, true, false]);
  preview.draw("1\n2\n3\n4\n");
  assert.deepEqual(written, []);
  preview.draw("1\n2\n3\n");
  assert.match(written.join(""), /1\n2\n3\n/);
});

for (const changes of [{ stdoutIsTerminal: false }, { env: { TERM: "dumb" } }]) {
  Deno.test(`openPreview() has no room where nobody sees it: ${Object.keys(changes)}`, () => {
    const { context, written } = contextOf(changes);
    using preview = openPreview(context);
    assert.deepEqual([preview.isLive, preview.hasRoom(0)], [false, false]);
    preview.draw("1\n");
    assert.deepEqual(written, []);
  });
}
