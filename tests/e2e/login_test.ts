/** A login that asks a question is answered once, by a person, and then nobody is asked. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { quoteAll } from "../../src/core/shell.ts";
import { type CliResult, grid, programArgs, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findAccount, testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const PASSWORD = "open sesame";
/** Of it, by crypt(5). */
const HASH =
  "$6$gridtest$E3.vXt9JH6zBheOAJUhla/iYJ1svKp04JaH1RK5omoOOnQ1Kh34SUK5.3WFSqPBMJNq3zYo7bEkFCOsahvZzR0";

/** Only the daemon sees the password: the file of passwords is another one for it. */
function withPassword(account: string, folder: string): string[] {
  const file = join(folder, "shadow");
  const lines = Deno.readTextFileSync("/etc/shadow").split("\n")
    .map((line) => line.startsWith(`${account}:`) ? `${account}:${HASH}:19000:0:99999:7:::` : line);
  Deno.writeTextFileSync(file, lines.join("\n"), { mode: 0o600 });
  const script = 'mount --bind "$1" /etc/shadow && shift && exec "$@"';
  return ["unshare", "-m", "sh", "-c", script, "sh", file];
}

interface Conversation {
  readonly cwd: string;
  /** Typed when something is asked. */
  readonly answer: string;
}

/** At a terminal where somebody waits to be asked for a password. */
async function atTerminal(
  args: readonly string[],
  { cwd, answer }: Conversation,
): Promise<Pick<CliResult, "code" | "stdout">> {
  const command = quoteAll([Deno.execPath(), ...programArgs(args)]);
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const keyboard = child.stdin.getWriter();
  let stdout = "";
  let answered = 0;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    const asked = stdout.match(/password:/gi)?.length ?? 0;
    if (asked === answered) continue;
    answered = asked;
    await keyboard.write(new TextEncoder().encode(`${answer}\n`));
  }
  await keyboard.close().catch(() => {});
  return { code: (await child.status).code, stdout };
}

testWith(
  ["sshd", "script", "unshare", "account"],
  "grid login answers a password once, and commands ride on it until it is ended",
  async () => {
    const account = findAccount();
    assert.ok(account);
    using secrets = tempDir();
    await using lab = await startOpenSsh({
      nodes: 1,
      gpus: 0,
      account,
      within: withPassword(account.name, secrets.path),
      sshdConfig: ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"],
    });
    const [node] = lab.nodes;
    assert.ok(node);
    using folder = project({
      "ssh.yaml": labConfig({ lab, rayMode: "embedded" }),
      "openssh.yaml": labConfig({ lab, rayMode: "embedded", transport: "openssh" }),
    });
    const cwd = folder.path;
    const run = (config: string) =>
      grid(["run", "echo in", "--node", "node1", "--config", config], { cwd });
    const login = (...more: string[]) => ["login", "node1", "--config", "ssh.yaml", ...more];
    const logins = () => node.readLog().match(/Accepted password/g)?.length ?? 0;
    for (const config of ["ssh.yaml", "openssh.yaml"]) {
      const before = await run(config);
      assert.equal(before.code, 3, before.stderr);
      assert.match(before.stderr, /the server also wants a password\n.*grid login node1/s);
    }

    const wrong = await atTerminal(login(), { cwd, answer: "wrong" });
    assert.equal(wrong.code, 3, wrong.stdout);

    const first = await atTerminal(login("--for", "2h"), { cwd, answer: PASSWORD });
    assert.equal(first.code, 0, first.stdout);
    assert.match(first.stdout, /node1: logged in; .* for 2h.*; end it: grid login --end node1/);
    assert.doesNotMatch(first.stdout, /sesame/);
    try {
      const connections = () => node.readLog().match(/Connection from/g)?.length;
      const before = connections();
      for (const config of ["ssh.yaml", "openssh.yaml"]) {
        const { code, stdout, stderr } = await run(config);
        assert.deepEqual([code, stdout], [0, "in\n"], stderr);
        assert.doesNotMatch(stderr, /rides on|warning/);
      }
      assert.equal(connections(), before, "no connection of its own");
      const again = await atTerminal(login(), { cwd, answer: PASSWORD });
      assert.match(again.stdout, /logged in already/);
      assert.equal(logins(), 1);
    } finally {
      const ended = await grid(login("--end", "--json"), { cwd });
      assert.deepEqual(JSON.parse(ended.stdout), { nodes: [{ node: "node1", state: "ended" }] });
    }
    assert.equal((await run("ssh.yaml")).code, 3);
    const gone = await grid(login("--end"), { cwd });
    assert.deepEqual([gone.code, gone.stderr], [0, "node1: there was no connection\n"]);
  },
);

testWith(["sshd"], "grid login without a terminal says that there is nobody to ask", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  const { code, stderr } = await grid(["login", "node1", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /Cannot log in to "node1": there is no terminal to ask at/);
  const unknown = await grid(["login", "nod1", "--config", "lab.yaml"], { cwd: folder.path });
  assert.match(unknown.stderr, /Cannot log in to "nod1": .*\n.*did you mean "node1"/);
});
