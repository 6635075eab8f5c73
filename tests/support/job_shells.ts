/** `job.sh` in the shells that a node may have as its `/bin/sh`. */
import assert from "node:assert/strict";
import { quote } from "../../src/core/shell.ts";
import { startJob } from "../../src/transport/job/job_start.ts";
import { type ContractOptions, describeJobs, followAll, jobSpec } from "./job_contract.ts";
import { describeEnding } from "./job_ending_contract.ts";
import { describeInput } from "./job_input_contract.ts";
import { describeLeft } from "./job_left_contract.ts";
import { ORDINARY_UID } from "./account_transport.ts";
import { openAccountNode, withLauncher } from "./job_nodes.ts";
import { findBusyboxStatic, findProgram, type Part, testWith } from "./requires.ts";
import { tempDir } from "./temp_dir.ts";
import { writeProgram } from "./program_file.ts";

interface TestedShell {
  readonly part: Part;
  readonly words: readonly string[];
}

const SHELLS: readonly TestedShell[] = [
  { part: "dash", words: ["dash"] },
  { part: "bash", words: ["bash", "--posix"] },
  { part: "busybox", words: ["busybox", "ash"] },
  { part: "busybox-static", words: [findBusyboxStatic() ?? "busybox", "ash"] },
];

export function describeShells(parts: readonly Part[]): void {
  for (const { part, words: shell } of SHELLS.filter(({ part }) => parts.includes(part))) {
    const open = () => openAccountNode({ shell });
    const name = `job under ${nameOf(shell)}${part === "busybox-static" ? " (static)" : ""}`;
    const alone: ContractOptions = {
      test: (name, run) => testWith([part], name, run),
      open,
    };
    const helped: ContractOptions = {
      test: (name, run) => testWith([part, "perl"], name, run),
      open: withLauncher(open),
    };
    if (part !== "busybox-static") describeInput(name, alone);
    for (const describe of [describeJobs, describeEnding, describeLeft]) {
      describe(name, alone);
      describe(`${name} and its launcher`, helped);
    }
  }

  for (const { part, words: shell } of SHELLS.filter(({ part }) => parts.includes(part))) {
    testWith(
      [part],
      `job under ${nameOf(shell)}: a node that is slow to prepare the masking loses nothing`,
      async () => {
        using programs = tempDir();
        const slow = '#!/bin/sh\nsleep 0.3\nexec /usr/bin/mkfifo "$@"\n';
        writeProgram(`${programs.path}/mkfifo`, slow);
        const env = { PATH: `${programs.path}:${Deno.env.get("PATH")}` };
        await using node = await openAccountNode({ shell, env });
        const spec = jobSpec(node, { command: 'echo "$TOKEN"', secrets: { TOKEN: "a secret" } });
        const job = await startJob(node.transport, spec);
        const { exit, stdout } = await followAll(job);
        assert.deepEqual([exit, stdout], [{ kind: "code", code: 0 }, "***\n"]);
      },
    );
  }

  for (const { part, words: shell } of SHELLS.filter(({ part }) => parts.includes(part))) {
    testWith(
      [part, "root"],
      `job under ${nameOf(shell)}: a umask that forbids everything is obeyed`,
      async () => {
        const strict = ["sh", "-c", quote('umask 777; exec "$0" "$@"'), ...shell];
        await using node = await openAccountNode({ shell: strict, uid: ORDINARY_UID });
        const job = await startJob(node.transport, jobSpec(node, { command: "umask; echo out" }));
        const { exit, stdout } = await followAll(job);
        assert.deepEqual([exit, stdout], [{ kind: "code", code: 0 }, "0777\nout\n"]);
        await job.remove();
      },
    );
  }
}

/** Once for all shells. */
export function describeScripts(): void {
  testWith(["dash", "busybox"], "a node without head is told so before a job starts", async () => {
    using programs = tempDir();
    const tools = [
      "awk",
      "cat",
      "chmod",
      "mkdir",
      "rm",
      "sed",
      "setsid",
      "sleep",
      "sort",
      "stat",
      "tail",
    ];
    for (const tool of tools) {
      Deno.symlinkSync(findProgram("busybox") ?? "", `${programs.path}/${tool}`);
    }
    const dash = findProgram("dash") ?? "";
    await using node = await openAccountNode({ shell: [dash], env: { PATH: programs.path } });
    await assert.rejects(startJob(node.transport, jobSpec(node, { command: "echo hi" })), {
      code: "missing-tool",
      message: /^Cannot start the command on "uid\d+": there is no head on its PATH$/,
    });
    assert.deepEqual([...Deno.readDirSync(node.root)], []);
  });
}

function nameOf([path = "", ...rest]: readonly string[]): string {
  return [path.slice(path.lastIndexOf("/") + 1), ...rest].join(" ");
}
