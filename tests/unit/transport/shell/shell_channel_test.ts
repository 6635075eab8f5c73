import assert from "node:assert/strict";
import fc from "fast-check";
import { LocalChannel } from "../../../../src/transport/local_channel.ts";
import { openShellChannel, type Shell } from "../../../../src/transport/shell/shell_channel.ts";
import { quote } from "../../../../src/core/shell.ts";
import { endedShell } from "../../../../src/transport/shell/shell_problem.ts";
import type { Channel, Endpoint } from "../../../../src/transport/transport.ts";
import { localEndpoint } from "../../../support/local_node.ts";
import { testWith } from "../../../support/requires.ts";

interface Rig extends AsyncDisposable {
  readonly shell: Shell;
  /** Channels opened so far. */
  opened(): number;
}

/** A shell over real `sh` processes; `before` stands for what start-up files do. */
function openRig(
  { before = "", shell: program = "/bin/sh", ...endpoint }:
    & Partial<Endpoint>
    & { before?: string; shell?: string } = {},
): Rig {
  let opened = 0;
  const open = (command: string): Promise<Channel> => {
    opened++;
    const args = ["-c", `${before}\n${command.replace("/bin/sh", program)}`];
    return Promise.resolve(new LocalChannel({ args, cwd: "/", env: {}, ends: "group" }));
  };
  const shell = openShellChannel({ open, endpoint: localEndpoint(endpoint) });
  return {
    shell,
    opened: () => opened,
    [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
  };
}

Deno.test("exec() returns the exit code and both streams", async () => {
  await using rig = openRig();
  assert.deepEqual(await rig.shell.exec("echo out; echo err >&2; exit 3"), {
    code: 3,
    cut: false,
    stdout: "out\n",
    stderr: "err\n",
  });
});

Deno.test("exec() leaves stderr where it is, for a caller that does not want it", async () => {
  await using rig = openRig();
  const command = "echo out; echo err >&2; exit 3";
  for (const stdin of [undefined, "in"]) {
    const result = await rig.shell.exec(command, { stdin, dropsStderr: true });
    assert.deepEqual(result, { code: 3, cut: false, stdout: "out\n", stderr: "" });
  }
  assert.equal((await rig.shell.exec(command)).stderr, "err\n", "and has the next command's");
});

Deno.test("exec() has a function answer in the shell itself, with what it leaves in a variable", async () => {
  await using rig = openRig();
  const library = "grid_none() { :; }\ngrid_count() { echo noise; echo noise >&2; " +
    'n=$((${n:-0} + 1)); grid_answer="$n $1\n  ä"; return $n; }';
  const count = (word: string) => rig.shell.exec(`grid_count ${word}`, { library, answers: true });
  assert.deepEqual(await count("a"), { code: 1, cut: false, stdout: "1 a\n  ä", stderr: "" });
  assert.deepEqual(await count("b"), { code: 2, cut: false, stdout: "2 b\n  ä", stderr: "" });
  const silent = await rig.shell.exec("grid_none", { library, answers: true });
  assert.deepEqual([silent.code, silent.stdout], [0, ""], "nothing of an earlier answer");
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
  assert.equal(rig.opened(), 1);
});

Deno.test("exec() refuses to have anything but a function of ours answer", async () => {
  await using rig = openRig();
  for (const word of ["it's", "a b", "$x", "~/a-b.c:1"]) {
    const library = 'grid_echo() { grid_answer="$2"; }';
    const { stdout } = await rig.shell.exec(`grid_echo 1 ${quote(word)}`, {
      library,
      answers: true,
    });
    assert.equal(stdout, word);
  }
  const others = ["cd /tmp", ":", "grid_a; cd /tmp", "grid_a $x", "grid_a `id`", "grid_a\ncd /"];
  for (const command of others) {
    const refused = rig.shell.exec(command, { answers: true });
    await assert.rejects(refused, { code: "bug" });
  }
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
});

Deno.test("exec() keeps commands apart: folder, variables, options and exit", async () => {
  await using rig = openRig();
  await rig.shell.exec("cd /tmp; X=1; set -f; exit 5");
  const { code, stdout } = await rig.shell.exec('echo "$PWD:${X-unset}:$(echo /et*)"');
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "/:unset:/etc\n" });
  assert.equal(rig.opened(), 1);
});

Deno.test("exec() survives commands that are no shell at all", async () => {
  await using rig = openRig();
  for (const command of ["echo 'open", "if", ")", "cat <<E", "\\", "# only words", ""]) {
    await rig.shell.exec(command);
  }
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
  assert.equal(rig.opened(), 1);
});

Deno.test("exec() gives a command its own stdin, never the shell's", async () => {
  await using rig = openRig();
  assert.equal((await rig.shell.exec("cat; read -r x; echo $?")).stdout, "1\n");
  assert.equal((await rig.shell.exec("cat", { stdin: "typed 'in'\n" })).stdout, "typed 'in'\n");
  assert.equal(
    (await rig.shell.exec("wc -c", { stdin: "ü".repeat(400_000) })).stdout.trim(),
    "800000",
  );
  assert.equal((await rig.shell.exec("true", { stdin: "x".repeat(400_000) })).code, 0);
});

Deno.test("exec() carries any text in and out unchanged", async () => {
  await using rig = openRig();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      const sent = text.toWellFormed();
      assert.equal((await rig.shell.exec("cat", { stdin: sent })).stdout, sent);
    }),
    { numRuns: 100 },
  );
});

Deno.test("exec() carries any bytes in and out unchanged, as latin1", async () => {
  await using rig = openRig();
  const all = Uint8Array.from({ length: 70_000 }, (_, index) => index * 7 % 256);
  const { stdout } = await rig.shell.exec("cat", { stdin: all, encoding: "latin1" });
  assert.deepEqual(Uint8Array.from(stdout, (letter) => letter.charCodeAt(0)), all);
});

Deno.test("exec() cannot be fooled by output that looks like its markers", async () => {
  await using rig = openRig();
  const marks = "\x1e<\x1e>\x1e\x1e\x1e>abc\x1e0\x1e";
  assert.equal((await rig.shell.exec("cat", { stdin: marks })).stdout, marks);
});

Deno.test("exec() takes no part of an answer for it, unless the caller looks at that", async () => {
  await using rig = openRig();
  const command = "head -c 100000 /dev/zero | tr '\\0' x";
  await assert.rejects(rig.shell.exec(command, { maxBytes: 10 }), {
    code: "answer-too-long",
    message: /it has 100000 bytes, and 10 are the most$/,
  });
  const { stdout, cut } = await rig.shell.exec(command, { maxBytes: 10, mayBeCut: true });
  assert.equal(stdout, "xxxxxxxxxx\n… 99990 more bytes were dropped\n");
  assert.equal(cut, true);
  const whole = await rig.shell.exec(`${command}; echo e >&2`, { maxBytes: 100_000 });
  assert.deepEqual([whole.stdout.length, whole.cut], [100_000, false]);
  // What only says why something failed may be cut.
  const said = await rig.shell.exec(`(${command}) >&2`, { maxBytes: 10 });
  assert.match(said.stderr, /^x{10}\n… 99990 more bytes/);
});

Deno.test("exec() drops what start-up files print and waits for slow ones once", async () => {
  const before = "echo Welcome; echo to the machine >&2; printf '\\036<'; sleep 0.2";
  await using rig = openRig({ before });
  assert.equal((await rig.shell.exec("echo clean")).stdout, "clean\n");
  const { stdout, stderr } = await rig.shell.exec("echo clean; echo err >&2");
  assert.deepEqual({ stdout, stderr }, { stdout: "clean\n", stderr: "err\n" });
  assert.equal(rig.opened(), 1);
});

Deno.test("exec() drops what background processes print between commands", async () => {
  await using rig = openRig();
  await rig.shell.exec("{ sleep 0.05; echo late; } &");
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal((await rig.shell.exec("echo mine")).stdout, "mine\n");
});

Deno.test("exec() names start-up files that leave, or wait for input", async () => {
  await using leaves = openRig({ before: "exit 0", commandTimeoutMs: 300 });
  await assert.rejects(leaves.shell.exec("true"), {
    code: "shell",
    message: /start a shell on "here"/,
  });
  await using waits = openRig({ before: "read -r answer; exit", commandTimeoutMs: 300 });
  await assert.rejects(waits.shell.exec("true"), { code: "shell", hint: /start-up files/ });
});

Deno.test("exec() says what to do where the account has no shell, or no process left", async () => {
  const cases: readonly [string, RegExp, RegExp][] = [
    [
      "echo This account is currently not available.; exit 1",
      /not available\.$/,
      /chsh -s \/bin\/sh/,
    ],
    [
      "echo /bin/sh: 2: Cannot fork >&2; exit 2",
      /exit 2\): \/bin\/sh: 2: Cannot fork$/,
      /ulimit -u/,
    ],
    ["echo git only; exit 0", /ended at once \(exit 0\): git only$/, /ForceCommand/],
  ];
  for (const [before, message, hint] of cases) {
    await using rig = openRig({ before });
    await assert.rejects(rig.shell.exec("true"), { code: "shell", message, hint });
  }
  // One that began, and whose marks stand before its last words.
  const error = endedShell(localEndpoint({}), {
    left: "exit 2",
    words: "\x1e<ab\x1e\x1e<ab\x1esh: Cannot fork",
  });
  assert.match(error.message, /\(exit 2\): sh: Cannot fork$/);
});

Deno.test("exec() gives up on a command that hangs, and goes on with another shell", async () => {
  await using rig = openRig();
  await assert.rejects(rig.shell.exec("sleep 1000", { timeoutMs: 50 }), {
    code: "timed-out",
    message: /no answer within 50 ms/,
  });
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
  assert.equal(rig.opened(), 2);
});

Deno.test("exec() stops waiting when its signal fires, also in the queue", async () => {
  await using rig = openRig();
  const stop = new AbortController();
  const { signal } = stop;
  const waiting = Array.from({ length: 6 }, () => rig.shell.exec("sleep 1000", { signal }));
  const outcomes = Promise.allSettled(waiting);
  await new Promise((resolve) => setTimeout(resolve, 50));
  stop.abort(new Error("enough"));
  for (const outcome of await outcomes) {
    assert.equal(outcome.status === "rejected" && outcome.reason.message, "enough");
  }
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
});

Deno.test("exec() reports a shell that was killed, and goes on with another", async () => {
  await using rig = openRig();
  await assert.rejects(rig.shell.exec("kill -KILL $$"), { code: "lost", message: /SIGKILL/ });
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
});

Deno.test("exec() runs many commands at once over a few shells", async () => {
  await using rig = openRig();
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, index) => rig.shell.exec(`echo ${index}`)),
  );
  assert.deepEqual(results.map(({ stdout }) => Number(stdout)), [...Array(100).keys()]);
  assert.ok(rig.opened() <= 3);
});

Deno.test("exec() reads a library once per shell", async () => {
  await using rig = openRig();
  const library = 'greet() { echo "hello $1"; }; loads=$((${loads-0} + 1))';
  const call = () => rig.shell.exec("greet you; echo $loads", { library });
  assert.equal((await call()).stdout, "hello you\n1\n");
  assert.equal((await call()).stdout, "hello you\n1\n");
});

Deno.test("exec() is refused once the shell is closed", async () => {
  const rig = openRig();
  await rig.shell.exec("true");
  await rig[Symbol.asyncDispose]();
  await assert.rejects(rig.shell.exec("true"), { code: "lost", message: /closed/ });
});

/** Waits for a line, as what waits must, and says how often it was asked. */
const WAITS = "echo waiting; read -r line; echo asked";

Deno.test("wait() ends when it is asked to, and returns what the command printed", async () => {
  await using rig = openRig();
  const stop = new AbortController();
  const answer = rig.shell.wait(WAITS, { stop: stop.signal });
  setTimeout(() => stop.abort(), 50);
  assert.equal(new TextDecoder().decode(await answer), "waiting\nasked\n");
  const asked = await rig.shell.wait(WAITS, { stop: stop.signal });
  assert.equal(new TextDecoder().decode(asked), "waiting\nasked\n", "asked before it began");
});

Deno.test("wait() gives way to every command, over one shell", async () => {
  await using rig = openRig();
  let turns = 0;
  const stop = new AbortController();
  const waiting = (async () => {
    for (; !stop.signal.aborted; turns++) await rig.shell.wait(WAITS, { stop: stop.signal });
  })();
  for (let round = 0; round < 20; round++) {
    assert.equal((await rig.shell.exec(`echo ${round}`)).stdout, `${round}\n`);
  }
  stop.abort();
  await waiting;
  assert.ok(turns > 1, `${turns} turns`);
  assert.equal(rig.opened(), 1);
});

Deno.test("wait() may end by itself while it is asked to: the shell goes on", async () => {
  await using rig = openRig();
  for (let round = 0; round < 50; round++) {
    const stop = new AbortController();
    const waiting = rig.shell.wait("echo over", { stop: stop.signal });
    const timer = setTimeout(() => stop.abort(), round % 5);
    assert.equal(new TextDecoder().decode(await waiting), "over\n");
    clearTimeout(timer);
  }
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
  assert.equal(rig.opened(), 1);
});

Deno.test("wait() runs in the shell itself: what it starts and sets belongs to the shell", async () => {
  await using rig = openRig();
  const stop = AbortSignal.abort();
  await rig.shell.wait("kept=1; sleep 1000 & read -r line", { stop });
  const kept = await rig.shell.wait('echo "$kept"; kill "$!"; read -r line', { stop });
  assert.equal(new TextDecoder().decode(kept), "1\n");
});

Deno.test("wait() is given up where it was asked to end and nothing comes", async () => {
  await using rig = openRig({ commandTimeoutMs: 200 });
  const stuck = rig.shell.wait("sleep 1000", { stop: AbortSignal.abort() });
  await assert.rejects(stuck, { code: "timed-out", message: /no answer within 200 ms/ });
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
});

Deno.test("wait() calls a shell lost that takes no more input, before its end is known", async () => {
  await using rig = openRig();
  const stop = AbortSignal.timeout(100);
  await assert.rejects(rig.shell.wait("exec <&-; sleep 1000", { stop }), {
    code: "lost",
    message: /its shell ended \(it takes no more input\)/,
  });
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
});

Deno.test("wait() takes a long answer that keeps coming for what it is", async () => {
  await using rig = openRig({ commandTimeoutMs: 400 });
  const command = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.15; done";
  const answer = await rig.shell.wait(command, { stop: AbortSignal.abort() });
  assert.equal(new TextDecoder().decode(answer), "1\n2\n3\n4\n5\n6\n");
});

Deno.test("exec() opens a further shell only where its turn is long in coming", async () => {
  await using rig = openRig();
  await Promise.all([rig.shell.exec("sleep 0.1"), rig.shell.exec("true")]);
  assert.equal(rig.opened(), 1);
  const stop = new AbortController();
  const { signal } = stop;
  const slow = rig.shell.exec("sleep 1000", { signal }).catch(() => {});
  assert.equal((await rig.shell.exec("echo on")).stdout, "on\n");
  assert.equal(rig.opened(), 2);
  stop.abort(new Error("enough"));
  await slow;
});

Deno.test("what a shell said last is told although its end was known before", async () => {
  await using rig = openRig({ before: "{ sleep 0.1; echo 'closed on Sundays'; } & exit 3" });
  await assert.rejects(rig.shell.exec("true"), {
    code: "shell",
    message: /ended at once \(exit 3\): closed on Sundays$/,
  });
});

Deno.test("a program that reads the commands in place of Grid's own shell is found out", async () => {
  // As a start-up file that starts another shell does; this one understands all of it.
  await using rig = openRig({ before: "exec bash" });
  await assert.rejects(rig.shell.exec("echo hello"), {
    code: "shell",
    message: 'Cannot start a shell on "here": another program answers in place of its /bin/sh',
    hint: /a start-up file of the account \(such as ~\/\.bashrc/,
  });
});

for (const [shell, name] of [["zsh", "zsh"], ["mksh", "a Korn shell"], ["yash", "yash"]] as const) {
  testWith([shell], `${shell} as /bin/sh is refused by name`, async () => {
    await using rig = openRig({ shell });
    await assert.rejects(rig.shell.exec("echo hello"), {
      code: "shell",
      message: new RegExp(`its /bin/sh is ${name}.*with which Grid does not work`),
      hint: /Grid works with dash, bash and busybox ash/,
    });
  });
}

for (const shell of ["dash", "bash", "busybox"] as const) {
  testWith([shell], `${shell} as /bin/sh is taken`, async () => {
    await using rig = openRig({ shell: shell === "busybox" ? "busybox ash" : shell });
    assert.equal((await rig.shell.exec("echo hello")).stdout, "hello\n");
  });
}
