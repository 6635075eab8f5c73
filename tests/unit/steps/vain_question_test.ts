import assert from "node:assert/strict";
import { VainQuestion } from "../../../src/steps/vain_question.ts";

function hintOf(stderr: string, stdout = ""): string | undefined {
  const question = new VainQuestion();
  question.push("stderr", new TextEncoder().encode(stderr));
  question.push("stdout", new TextEncoder().encode(stdout));
  return question.hint?.hint;
}

Deno.test("tools that asked in vain are known by their own words", () => {
  const asked = [
    "sudo: a terminal is required to read the password; either use the -S option to read from " +
    "standard input or configure an askpass helper\nsudo: a password is required\n",
    "fatal: could not read Username for 'https://example.org': No such device or address\n",
    'Traceback (most recent call last):\n  File "/usr/lib/python3.11/getpass.py", line 148, in _raw_input\n' +
    "    raise EOFError\nEOFError\n",
    "EOFError: EOF when reading a line\n",
    "Error: Cannot perform an interactive login from a non TTY device\n",
    "Proceed ([y]/n)? ",
  ];
  for (const words of asked) assert.match(hintOf(words) ?? "none", /asked something/, words);
  assert.match(hintOf("", "Do you want to continue? [Y/n] Abort.\n") ?? "none", /asked something/);
  assert.match(hintOf("Host key verification failed.\n") ?? "none", /ssh-keyscan HOST/);
});

Deno.test("what only failed has asked nobody", () => {
  for (
    const words of [
      "fatal: repository 'x' not found\n",
      "sudo: nosuch: command not found\n",
      "EOFError: Ran out of input\n",
      "Aborted.\n",
      "",
    ]
  ) {
    assert.equal(hintOf(words), undefined, words);
  }
});
