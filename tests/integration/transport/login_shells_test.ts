/** Accounts with other login shells, noisy start-up files, or no shell at all, by both ways over SSH. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { createPool } from "../../../src/transport/pool.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { followAll, jobSpec } from "../../support/job_contract.ts";
import { type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { type Account, findAccount, type Part, testWith } from "../../support/requires.ts";
import { isGridError, text } from "../../support/transport_contract.ts";

interface Rig {
  readonly way: "ssh" | "openssh";
  readonly node: OpenSshNode;
  readonly transport: Transport;
}

interface RigOptions {
  readonly parts: readonly Part[];
  readonly account?: () => Account | undefined;
  readonly sshdConfig?: readonly string[];
  /** Start-up files, by their path in the home folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** For commands and for opening a channel; default 10 s. */
  readonly commandTimeoutMs?: number;
}

function shellTest(name: string, options: RigOptions, run: (rig: Rig) => Promise<void>): void {
  for (const way of ["ssh", "openssh"] as const) {
    testWith(["sshd", ...options.parts], `${name}, by ${way}`, async () => {
      const account = options.account?.();
      const { sshdConfig = [], files = {} } = options;
      await using lab = await startOpenSsh({
        nodes: 1,
        gpus: 0,
        sshdConfig,
        ...(account && { account }),
      });
      const [node] = lab.nodes;
      assert.ok(node);
      Deno.mkdirSync(node.root, { recursive: true });
      for (const [path, content] of Object.entries(files)) {
        Deno.mkdirSync(join(node.home, dirname(path)), { recursive: true });
        Deno.writeTextFileSync(join(node.home, path), content);
      }
      if (account) chown(node.home, account);
      await using pool = createPool({ handshakes: 1 });
      const commandTimeoutMs = options.commandTimeoutMs ?? node.endpoint.commandTimeoutMs;
      const endpoint = { ...node.endpoint, transport: way, commandTimeoutMs };
      await run({ way, node, transport: pool.transport(endpoint) });
    });
  }
}

const SHELLS = [
  {
    shell: "fish",
    start: {
      path: ".config/fish/config.fish",
      noise: "echo Welcome; echo warning >&2; sleep 0.2\n",
    },
  },
  { shell: "tcsh", start: { path: ".tcshrc", noise: "echo Welcome\nsleep 0.2\n" } },
] as const;

for (const { shell, start } of SHELLS) {
  const options = {
    parts: [`${shell}-account`] as const,
    account: () => findAccount(`grid-${shell}`),
  };

  shellTest(`an account whose login shell is ${shell} runs commands as they are`, {
    ...options,
    files: { [start.path]: start.noise },
  }, async ({ node, transport }) => {
    const { stdout, stderr, code } = await transport.exec(
      `printf '%s|' "it's" '$HOME' 'a!b' '\\n' "$0"; echo err >&2; exit 3`,
    );
    assert.deepEqual({ stdout, stderr, code }, {
      stdout: "it's|$HOME|a!b|\\n|/bin/sh|",
      stderr: "err\n",
      code: 3,
    });
    await using channel = await transport.open(
      "for word in 'a!b' \"it's\" '\\n'; do\n  printf '%s|' \"$word\"\ndone; id -un; cat",
    );
    const writer = channel.stdin.getWriter();
    await writer.write(new TextEncoder().encode("in\r\n"));
    await writer.close();
    assert.ok((await text(channel.stdout)).endsWith(`a!b|it's|\\n|grid-${shell}\nin\r\n`));
    assert.deepEqual(await channel.exit, { kind: "code", code: 0 });
    await using signalled = await transport.open("kill -TERM $$");
    assert.deepEqual(await signalled.exit, { kind: "signal", signal: "SIGTERM" });
    const place = { transport, root: node.root, [Symbol.asyncDispose]: () => Promise.resolve() };
    const job = await startJob(
      transport,
      jobSpec(place, { command: 'echo "$X"; exit 4', env: { X: "a!b" } }),
    );
    const printed = await followAll(job);
    assert.deepEqual(printed, { exit: { kind: "code", code: 4 }, stdout: "a!b\n", stderr: "" });
    await job.remove();
  });

  shellTest(`${shell} goes on after an exit in its start-up file`, {
    ...options,
    files: { [start.path]: "echo bye; exit 7\n" },
  }, async ({ transport }) => {
    assert.equal((await transport.exec("echo on")).stdout, "on\n");
  });
}

shellTest("exit in a .bashrc is named with what to look for", {
  parts: ["bash"],
  files: { ".bashrc": "echo bye; exit 7\n" },
}, async ({ transport }) => {
  await assert.rejects(transport.exec("true"), (error) => {
    isGridError("shell")(error);
    assert.match(String(error), /exit 7\)?: bye/);
    assert.match((error as { hint: string }).hint, /start-up files/);
    return true;
  });
});

shellTest("a .bashrc that waits for ever is named", {
  parts: ["bash"],
  files: { ".bashrc": "sleep 60\n" },
  commandTimeoutMs: 1000,
}, async ({ transport }) => {
  await assert.rejects(transport.exec("true"), (error) => {
    isGridError("shell")(error);
    assert.match((error as { hint: string }).hint, /start-up files/);
    return true;
  });
});

shellTest("an account that may only transfer files is told apart from one that cannot log in", {
  parts: [],
  sshdConfig: ["Subsystem sftp internal-sftp", "ForceCommand internal-sftp"],
}, async ({ node, transport }) => {
  await assert.rejects(transport.exec("true"), (error) => {
    isGridError("shell")(error);
    assert.match(String(error), /allows sftp connections only/);
    return true;
  });
  assert.equal(node.acceptedLogins(), 1);
});

shellTest("an account without a shell is told apart from one that cannot log in", {
  parts: [],
  sshdConfig: ["ForceCommand /usr/sbin/nologin"],
}, async ({ node, transport }) => {
  await assert.rejects(transport.exec("true"), (error) => {
    isGridError("shell")(error);
    assert.match(String(error), /account is currently not available/);
    return true;
  });
  assert.equal(node.acceptedLogins(), 1);
});

shellTest(
  "a login shell that says nothing and leaves, as /bin/false does, is named as what it may be",
  {
    parts: [],
    sshdConfig: ["ForceCommand /bin/false"],
  },
  async ({ node, transport }) => {
    await assert.rejects(transport.exec("true"), (error) => {
      isGridError("shell")(error);
      assert.match(String(error), /login shell ended (at once|before the command) \(exit 1\)$/);
      assert.match((error as { hint: string }).hint, /no shell there \(\/bin\/false\)/);
      return true;
    });
    assert.equal(node.acceptedLogins(), 1);
  },
);

const NO_ENV = { parts: [], sshdConfig: ["SetEnv PATH=/nonexistent"] };

shellTest("a PATH without env is named", NO_ENV, async ({ way, transport }) => {
  // Grid's own shell needs none.
  if (way === "ssh") return void assert.equal((await transport.exec("echo in")).stdout, "in\n");
  await assert.rejects(transport.exec("true"), (error) => {
    isGridError("shell")(error);
    assert.match(String(error), /its PATH has no env/);
    assert.match((error as { hint: string }).hint, /SetEnv PATH/);
    return true;
  });
});

/** Another program in place of a shell, which the server starts whatever is asked for. */
const FORCED = {
  "a fixed command": { command: "echo maintenance until noon", says: /maintenance until noon/ },
  "a program that waits for a person": {
    command: "read -p name: name",
    says: /shell on "node1"|did not come to the command/,
  },
  "nothing": {
    command: "exit 0",
    says: /ended at once \(exit 0\)|ended before the command \(exit 0\)/,
  },
};

for (const [what, { command, says }] of Object.entries(FORCED)) {
  shellTest(`an account that is forced to ${what} is told apart`, {
    parts: ["bash"],
    sshdConfig: [`ForceCommand ${command}`],
    commandTimeoutMs: 2000,
  }, async ({ transport }) => {
    await assert.rejects(transport.exec("true"), (error) => {
      isGridError("shell")(error);
      assert.match(String(error), says);
      assert.match((error as { hint: string }).hint, /ForceCommand/);
      return true;
    });
  });
}

shellTest("a server that ends each login is told, and where its reason stands", {
  parts: ["bash"],
  sshdConfig: ["ForceCommand kill -9 $PPID"],
}, async ({ transport }) => {
  await assert.rejects(transport.exec("true"), (error) => {
    isGridError("lost")(error);
    if (transport.endpoint.transport === "openssh") return true;
    assert.match(String(error), /the connection was lost right after the login/);
    assert.match((error as { hint: string }).hint, /journalctl -u ssh/);
    return true;
  });
});

shellTest("a ForceCommand that runs what is asked for is none that matters", {
  parts: [],
  sshdConfig: ['ForceCommand sh -c "$SSH_ORIGINAL_COMMAND"'],
}, async ({ transport }) => {
  assert.equal((await transport.exec("echo in")).stdout, "in\n");
});

function chown(path: string, account: Account): void {
  Deno.chownSync(path, account.uid, account.gid);
  for (const entry of Deno.readDirSync(path)) {
    const inner = join(path, entry.name);
    if (entry.isDirectory) chown(inner, account);
    else Deno.chownSync(inner, account.uid, account.gid);
  }
}
