import assert from "node:assert/strict";
import { testWith } from "../../support/requires.ts";

/** A process has one account for all of its threads, and with it for all tests that run beside these. */
testWith(["root"], "what a sync cannot read, in a process with an account of its own", async () => {
  const file = new URL("unread_as_account.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", "--no-check", file],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  assert.match(text, /\| [1-9]\d* passed .*\| 0 failed/);
});
