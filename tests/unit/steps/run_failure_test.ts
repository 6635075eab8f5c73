/** What is said of a command that was told to end. */
import assert from "node:assert/strict";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { commandHint } from "../../../src/steps/command_hint.ts";
import { failedExit, ownCode, survivorWords } from "../../../src/steps/run_failure.ts";

Deno.test("survivors are told with the grounds, and never none where nobody asked", () => {
  const none = { survivors: [], handedOver: [] };
  assert.equal(survivorWords(none), "0 survivors (processes)");
  assert.equal(
    survivorWords({ ...none, handedOver: ["podman"] }),
    "no process is left; a container may still run: podman",
  );
  assert.equal(
    survivorWords(none, { script: "docker run -d image\nsleep 1000" }),
    "no process is left; a container may still run: docker",
  );
  const survivors = [{ pid: 7, command: "train" }];
  assert.equal(survivorWords({ survivors, handedOver: [] }), "1 survivor: 7 (train)");
  assert.equal(
    survivorWords({ survivors, handedOver: ["docker"] }),
    "1 survivor: 7 (train); a container may still run: docker",
  );
});

Deno.test("how a command took it that it was told to end stays on record", () => {
  assert.deepEqual(ownCode({ kind: "code", code: 77 }), { exitCode: 77 });
  assert.deepEqual(ownCode({ kind: "signal", signal: "SIGTERM" }), {});
  assert.deepEqual(ownCode({ kind: "vanished" }), {});
  assert.deepEqual(ownCode(undefined), {});
});

Deno.test("what a command did not find is answered by what prepares it", () => {
  const cases: [number, string, RegExp | undefined][] = [
    [127, "grid: line 1: conda: command not found\n", /before: \["\. \/opt\/conda/],
    [127, "grid: 1: module: not found\n", /modules\.sh, module load/],
    [127, "grid: line 2: train.sh: command not found", /"train.sh" is not on PATH.*bash -l/],
    [127, "grid: line 1: ./go: No such file or directory", /"\.\/go" is not there: paths start/],
    [127, "", /a command is not on PATH/],
    [1, "\nCondaError: Run 'conda init' before 'conda activate'\n", /no login: before: /],
    [2, "error: Failed to spawn: pytest\n  cause: No such file", /"pytest" is not in the/],
    [2, "error: Failed to spawn: `pytest`\n  Caused by: No such file", /"pytest" is not in the/],
    [1, "Command not found: pytest\n", /"pytest" is not in the environment/],
    [126, "grid: ./x.sh: /usr/bin/python9: bad interpreter: No such file", /first line/],
    [126, "grid: ./x.sh: /root/py/bin/python: bad interpreter: Permission denied", /this account/],
    [126, "grid: ./x: cannot execute binary file: Exec format error", /uname -m/],
    [126, "grid: ./x.sh: Permission denied", /chmod \+x/],
    [153, "grid: line 2: 24047 File size limit exceeded  tar -c .", /ulimit -f/],
    [153, "", /ulimit -f/],
    [1, "Traceback …\nOSError: [Errno 27] File too large", /ulimit -f/],
    [152, "grid: line 3: 7 CPU time limit exceeded", /ulimit -t/],
    [1, "Traceback …\nValueError: 3", undefined],
    [0, "", undefined],
  ];
  for (const [code, stderr, hint] of cases) {
    const found = commandHint(code, stderr);
    if (hint === undefined) assert.equal(found, undefined, stderr);
    else assert.match(found ?? "", hint);
  }
});

Deno.test("a limit of the node that ended a command is named by how it is looked at", () => {
  const node = { node: { name: "gpu1" } } as OpenNode;
  const hintOf = (signal: string) => {
    const outcome = failedExit({ kind: "signal", signal }, { node });
    return outcome.status === "failed" ? outcome.failure.hint : undefined;
  };
  assert.match(hintOf("SIGXFSZ") ?? "", /ulimit -f/);
  assert.match(hintOf("SIGXCPU") ?? "", /ulimit -t/);
  assert.match(hintOf("SIGKILL") ?? "", /memory/);
  assert.equal(hintOf("SIGTERM"), undefined);
});
