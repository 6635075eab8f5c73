import assert from "node:assert/strict";
import { supervisedCommand } from "../../../../src/transport/openssh/supervised_command.ts";
import { testWith } from "../../../support/requires.ts";

/** What comes of it where `/bin/sh` is this shell. */
function run(shell: readonly string[], command: string): { stdout: string; stderr: string } {
  const line = supervisedCommand(command, "WORD");
  const changed = line.replace("/bin/sh -c 'eval", `${shell.join(" ")} -c 'eval`);
  const { code, stdout, stderr } = new Deno.Command("/bin/sh", {
    args: ["-c", changed],
    stdin: "null",
  }).outputSync();
  assert.equal(code, 0, "ssh ends with 0 where the command's end was told");
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(stdout), stderr: text(stderr) };
}

const CASES: readonly (readonly [string, string])[] = [
  ["exit 5", "code 5"],
  ["exit 255", "code 255"],
  ["exit 143", "code 143"],
  ["kill -TERM $$", "signal TERM"],
  ["kill -KILL $$", "signal KILL"],
  ["exec sh -c 'kill -HUP $$'", "signal HUP"],
];

for (const shell of [["sh"], ["bash"], ["busybox", "sh"]] as const) {
  const [program] = shell;
  const parts = program === "sh" ? [] : [program];
  testWith(parts, `supervisedCommand() tells how a command ended, to ${program}`, () => {
    for (const [command, end] of CASES) {
      assert.equal(run(shell, command).stderr, `WORD start\nWORD ${end}\n`, command);
    }
    assert.deepEqual(run(shell, "echo out; printf 'it'\"'\"'s !\\n' >&2"), {
      stdout: "out\n",
      stderr: "WORD start\nit's !\nWORD code 0\n",
    });
  });
}
