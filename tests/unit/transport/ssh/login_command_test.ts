import assert from "node:assert/strict";
import fc from "fast-check";
import { endCommand, loginCommand } from "../../../../src/transport/ssh/login_command.ts";
import { processesWith } from "../../../support/processes.ts";
import { findProgram } from "../../../support/requires.ts";
import { waitUntil } from "../../../support/transport_contract.ts";

const LOGIN_SHELLS = ["sh", "bash", "fish", "tcsh", "zsh", "xonsh"].filter((name) =>
  findProgram(name)
);

function run(shell: string, line: string): string {
  const { stdout } = new Deno.Command(shell, { args: ["-c", line], stdin: "null" }).outputSync();
  return new TextDecoder().decode(stdout);
}

for (const shell of LOGIN_SHELLS) {
  Deno.test(`loginCommand() means the same to ${shell}`, () => {
    const words = [
      "it's",
      "a\nb",
      "wow!",
      "back\\slash",
      "$HOME",
      "`id`",
      '"',
      "ä€🙂",
      "%s",
      "-n",
      "\\0101",
    ];
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const command = `printf '%s|' ${quoted.join(" ")}`;
    assert.equal(run(shell, loginCommand(command, "w")), words.map((word) => `${word}|`).join(""));
    assert.equal(run(shell, loginCommand("echo $GRID_CHANNEL", "w")), "w\n");
  });
}

Deno.test("loginCommand() hands any text through", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 30 })
    .filter((value) => !value.includes("\0") && value.isWellFormed());
  fc.assert(
    fc.property(text, (value) => {
      const command = `printf '%s.' '${value.replaceAll("'", `'\\''`)}'`;
      assert.equal(run("sh", loginCommand(command, "w")), `${value}.`);
    }),
    { numRuns: 40 },
  );
});

Deno.test("endCommand() ends what the command started, in whatever session, and nothing else", async () => {
  if (Deno.build.os !== "linux") return;
  const [mine, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const start = (word: string) =>
    new Deno.Command("sh", {
      args: ["-c", loginCommand("setsid sleep 300 & sleep 300", word)],
      stdin: "null",
      stdout: "null",
    }).spawn();
  const children = [start(mine), start(other)];
  const alive = (word: string) => processesWith(`GRID_CHANNEL=${word}`).length;
  await waitUntil(() => alive(mine) === 3 && alive(other) === 3);
  run("sh", endCommand(mine));
  await waitUntil(() => alive(mine) === 0);
  assert.equal(alive(other), 3);
  run("sh", endCommand(other));
  await waitUntil(() => alive(other) === 0);
  await Promise.all(children.map((child) => child.status));
});
