import assert from "node:assert/strict";
import { firstCommand } from "../../../src/steps/preflight/first_command.ts";

Deno.test("firstCommand() finds a plain word at the beginning of a script", () => {
  const scripts = {
    "python train.py --x": "python",
    "./train.sh": "./train.sh",
    "\n# first\n  make -j4\ncd x": "make",
    "ruff check . && echo ok": "ruff",
    "g++ a.cc;": "g++",
    "date": "date",
    "sort <in": "sort",
  };
  for (const [script, word] of Object.entries(scripts)) {
    assert.equal(firstCommand(script), word, script);
  }
});

Deno.test("firstCommand() says nothing where it cannot be certain", () => {
  const scripts = [
    "",
    "# nothing",
    "echo hi",
    "cd src && make",
    "if true; then x; fi",
    "X=1 train",
    "$TOOL --help",
    '"my tool"',
    "to\0ol x",
    "\0 x",
    "tool$X",
    "go() { echo; }; go",
    "go () { echo; }",
    "tool || pip install tool",
    "(tool)",
    "! tool",
    "-x",
    "[ -f a ]",
    "~/bin/tool",
    "tool*",
    "a\\ b",
  ];
  for (const script of scripts) assert.equal(firstCommand(script), undefined, script);
});
