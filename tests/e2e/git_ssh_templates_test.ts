/** Templates out of a git repository behind a real sshd, from the first fetch to every way to fail. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project } from "../support/cli.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const GIT = ["git", "sshd"] as const;

interface Rig extends AsyncDisposable {
  readonly lab: OpenSshLab;
  readonly node: OpenSshNode;
  /** `ssh://user@host:port/path/to/repository.git` */
  readonly url: string;
  /** Makes the template print this word, on branch main. Returns the commit. */
  commit(word: string): string;
}

/** One node with a bare repository, and a clone beside it to push from. */
async function startRig(): Promise<Rig> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  if (!node) throw new Error("a lab of one node has one");
  const bare = join(node.home, "templates.git");
  const work = join(lab.folder, "work");
  git(lab.folder, "init", "--quiet", "--bare", "-b", "main", bare);
  git(lab.folder, "init", "--quiet", "-b", "main", work);
  return {
    lab,
    node,
    url: `ssh://${node.endpoint.user}@${node.host}:${node.port}${bare}`,
    commit: (word) => {
      Deno.writeTextFileSync(join(work, "say.yaml"), `steps:\n  - { id: go, run: echo ${word} }\n`);
      git(work, "add", ".");
      git(work, "commit", "--quiet", "-m", word);
      git(work, "push", "--quiet", "--force", bare, "main");
      return git(work, "rev-parse", "HEAD");
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

function git(cwd: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command("git", {
    args: ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args],
    cwd,
  }).outputSync();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** What a person would have set up for the host: which key, and whom to trust. */
function sshCommand({ lab }: Rig, options: readonly string[] = []): string {
  return ["ssh -F none", `-i ${lab.keyFile}`, `-o UserKnownHostsFile=${lab.knownHosts}`, ...options]
    .join(" ");
}

function projectWith(url: string): TempDir {
  return project({
    "p.yaml": `name: p\nsteps:\n  - { id: say, node: local, uses: "git+${url}//say.yaml@main" }\n`,
  });
}

async function run(folder: TempDir, env: Readonly<Record<string, string>>) {
  return await grid(["run", "p.yaml"], {
    cwd: folder.path,
    env: { SSH_AUTH_SOCK: "", ...env },
    timeoutMs: 90_000,
  });
}

testWith(GIT, "a template is fetched over ssh, pinned, and read offline ever after", async () => {
  await using rig = await startRig();
  const first = rig.commit("one");
  using folder = projectWith(rig.url);
  const env = { GIT_SSH_COMMAND: sshCommand(rig) };
  const fetched = await run(folder, env);
  assert.equal(fetched.code, 0, fetched.stderr);
  assert.match(fetched.stderr, /\bone\b/);
  const lock = join(folder.path, "grid.lock.json");
  const pinned = JSON.parse(Deno.readTextFileSync(lock)).templates;
  assert.deepEqual(pinned, { [`${rig.url}@main`]: first });

  rig.commit("two");
  const logins = rig.node.acceptedLogins();
  const same = await run(folder, env);
  assert.match(same.stderr, /\bone\b/, "the branch moved, the pin did not");
  assert.equal(rig.node.acceptedLogins(), logins, "what is there already needs no network");
  const check = () => grid(["plan", "p.yaml", "--check"], { cwd: folder.path, env });
  assert.match((await check()).stdout, /✔ template ssh:.*@main +main has moved to [0-9a-f]{12};/);
  await rig.node.stop();
  assert.match((await check()).stdout, /it cannot be asked whether main has moved/);
  const offline = await run(folder, { GIT_SSH_COMMAND: "false" });
  assert.equal(offline.code, 0, offline.stderr);
  await rig.node.start();

  // Somebody else's machine has the lock file, but not the cache.
  Deno.removeSync(join(folder.path, ".grid", "cache"), { recursive: true });
  const settings = join(rig.lab.folder, "gitconfig");
  git(rig.lab.folder, "config", "--file", settings, "core.sshCommand", sshCommand(rig));
  const elsewhere = await run(folder, { GIT_CONFIG_GLOBAL: settings });
  assert.match(elsewhere.stderr, /\bone\b/);
  Deno.removeSync(lock);
  const unpinned = await run(folder, env);
  assert.match(unpinned.stderr, /\btwo\b/);
  assert.match((await check()).stdout, /main still means [0-9a-f]{12}/);
});

testWith(GIT, "a pinned commit that the repository lost is named, with what to do", async () => {
  await using rig = await startRig();
  const first = rig.commit("one");
  using folder = projectWith(rig.url);
  const env = { GIT_SSH_COMMAND: sshCommand(rig) };
  await run(folder, env);
  const bare = join(rig.node.home, "templates.git");
  Deno.removeSync(bare, { recursive: true });
  git(rig.lab.folder, "init", "--quiet", "--bare", "-b", "main", bare);
  Deno.removeSync(join(rig.lab.folder, "work", ".git"), { recursive: true });
  git(rig.lab.folder, "init", "--quiet", "-b", "main", join(rig.lab.folder, "work"));
  rig.commit("other history");
  Deno.removeSync(join(folder.path, ".grid", "cache"), { recursive: true });
  const { code, stderr } = await run(folder, env);
  assert.equal(code, 2, stderr);
  assert.match(stderr, new RegExp(`pinned commit ${first.slice(0, 12)}`));
  assert.match(stderr, /grid\.lock\.json/);
});

testWith(GIT, "what stands in the way of ssh is said in ssh's own words", async () => {
  await using rig = await startRig();
  rig.commit("one");
  const other = join(rig.lab.folder, "other");
  new Deno.Command("ssh-keygen", { args: ["-q", "-t", "ed25519", "-N", "", "-f", other] })
    .outputSync();
  const stranger = join(rig.lab.folder, "nobody_known");
  Deno.writeTextFileSync(stranger, "");
  const changed = join(rig.lab.folder, "changed");
  const key = Deno.readTextFileSync(`${other}.pub`).split(" ").slice(0, 2).join(" ");
  Deno.writeTextFileSync(changed, `[${rig.node.host}]:${rig.node.port} ${key}\n`);
  using silent = Deno.listen({ hostname: rig.node.host, port: 0 });
  const known = `-o UserKnownHostsFile=${rig.lab.knownHosts}`;
  const cases: readonly [string, string, RegExp][] = [
    [rig.url, `ssh -F none -i ${rig.lab.keyFile} -o UserKnownHostsFile=${stranger}`, /host key/i],
    [rig.url, `ssh -F none -i ${rig.lab.keyFile} -o UserKnownHostsFile=${changed}`, /host key/i],
    [rig.url, `ssh -F none -i ${other} ${known}`, /Permission denied/],
    [rig.url.replace(/:\d+\//, ":1/"), sshCommand(rig), /Connection refused/],
    [rig.url.replace("templates", "nothing"), sshCommand(rig), /does not appear to be a git repo/],
    [
      rig.url.replace(/:\d+\//, `:${silent.addr.port}/`),
      sshCommand(rig, ["-o ConnectTimeout=1"]),
      /timed out/,
    ],
    ["ssh://git@no-such-host.invalid/x.git", sshCommand(rig), /resolve|not known/],
  ];
  for (const [url, command, words] of cases) {
    using folder = projectWith(url);
    const { code, stderr } = await run(folder, { GIT_SSH_COMMAND: command });
    assert.equal(code, 2, stderr);
    assert.match(stderr, words);
    assert.match(stderr, /p\.yaml:3:/);
    assert.doesNotMatch(stderr, /^\s+at .*\.ts:\d+/m, "a stack trace is shown");
    assert.ok(!existsSync(join(folder.path, "grid.lock.json")), "nothing wrong is pinned");
  }
});

testWith([...GIT, "script"], "an unknown host asks nothing, not even at a terminal", async () => {
  await using rig = await startRig();
  rig.commit("one");
  using folder = projectWith(rig.url);
  const stranger = join(rig.lab.folder, "nobody_known");
  const command = `ssh -F none -i ${rig.lab.keyFile} -o UserKnownHostsFile=${stranger}`;
  const words = [Deno.execPath(), ...programArgs(["run", "p.yaml"])].join(" ");
  const { code, stdout } = await new Deno.Command("script", {
    args: ["-qec", words, "/dev/null"],
    cwd: folder.path,
    env: { NO_COLOR: "1", SSH_AUTH_SOCK: "", GIT_SSH_COMMAND: command },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const screen = new TextDecoder().decode(stdout);
  assert.equal(code, 2, screen);
  assert.match(screen, /Host key verification failed/);
  assert.doesNotMatch(screen, /yes\/no/);
});
