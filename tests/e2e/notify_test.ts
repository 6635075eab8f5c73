/** The templates that tell somebody how a run went: a real server, and a program in sendmail's place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

const WORD = "top5ecretw0rd";
const NAME = String.raw`night "1" <!here> é \\ 50 %`;

const PIPELINE = `name: '${NAME}'
inputs: { lr: { default: "0.1" } }
steps:
  - { id: train, run: "exit 3", node: local1 }
hooks:
  failure:
    - { uses: "grid:notify-slack", with: { text: "lr=\${{ inputs.lr }} <@U1>" } }
    - { id: web, uses: "grid:notify-webhook", with: { text: "a \\"q\\"\\n\\tb" } }
    - uses: grid:notify-mail
      with: { to: "team@example.org", from: "grid@example.org", text: "a\\nb", sendmail: ./letters }
`;
const LETTERS = '#!/bin/sh\nprintf "%s\\n" "$*" >letter\ncat >>letter\n';

interface Post {
  readonly path: string;
  readonly type: string | null;
  readonly body: string;
}

/** Answers each path with these, the last one again and again. */
function listen(answers: Readonly<Record<string, readonly number[]>>) {
  const posts: Post[] = [];
  const seen: string[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const before = posts.filter(({ path }) => path.startsWith(pathname)).length;
      posts.push({
        path: pathname + search,
        type: request.headers.get("content-type"),
        body: await request.text(),
      });
      seen.push(...commandLines().filter((line) => line.includes(WORD)));
      const all = answers[pathname] ?? [404];
      return new Response("", { status: all[Math.min(before, all.length - 1)] ?? 404 });
    },
  );
  const { port } = server.addr;
  return {
    posts,
    /** Command lines with the secret in them. */
    seen,
    env: {
      SLACK_WEBHOOK_URL: `http://127.0.0.1:${port}/slack?${WORD}`,
      WEBHOOK_URL: `http://127.0.0.1:${port}/hook?k="${WORD}`,
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function commandLines(): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).flatMap(
    ({ name }) => {
      try {
        return [Deno.readTextFileSync(`/proc/${name}/cmdline`)];
      } catch {
        return []; // it has ended
      }
    },
  );
}

testWith(
  ["curl", "bash"],
  "a run that failed is told to a channel, a webhook and by letter",
  async () => {
    await using server = listen({ "/slack": [503, 200], "/hook": [200] });
    using home = project({ "p.yaml": PIPELINE, letters: LETTERS });
    Deno.chmodSync(join(home.path, "letters"), 0o755);
    const ran = await grid(["run", "p.yaml"], { cwd: home.path, env: server.env });
    assert.equal(ran.code, 1, ran.stderr);
    assert.doesNotMatch(ran.stderr + ran.stdout, new RegExp(WORD));
    assert.deepEqual(server.seen, []);
    const [first, again, hook, ...more] = server.posts;
    assert.deepEqual([first, more], [again, []], "what is busy is tried again");
    assert.equal(first?.type, "application/json");
    const run = /\d{8}-\d{6}-\w{4}/.exec(first?.body ?? "")?.[0];
    assert.deepEqual(JSON.parse(first?.body ?? ""), {
      text: `${
        NAME.replace("<!here>", "&lt;!here&gt;")
      }: failed at train (run ${run}) lr=0.1 &lt;@U1&gt;`,
    });
    assert.deepEqual(JSON.parse(hook?.body ?? ""), {
      ...{ pipeline: NAME, run, result: "failed", first_failure: "train" },
      text: 'a "q"\n\tb',
    });
    const [head = "", body] = Deno.readTextFileSync(join(home.path, "letter")).split(/\n\n(.*)/s);
    assert.match(
      head,
      /^-t -i\nFrom: grid@example\.org\nTo: team@example\.org\nSubject: =\?UTF-8\?B\?/,
    );
    const subject = /B\?(.*)\?=/.exec(head)?.[1] ?? "";
    const bytes = Uint8Array.from(atob(subject), (char) => char.charCodeAt(0));
    assert.equal(new TextDecoder().decode(bytes), `${NAME}: failed at train`);
    assert.match(body ?? "", new RegExp(`run ${run} on .*\n\na\nb\n$`));
  },
);

testWith(["curl", "bash"], "who cannot be told changes nothing of how the run ended", async () => {
  await using server = listen({ "/slack": [400] });
  using home = project({
    "p.yaml": `steps: [{ id: a, run: "true", node: local1 }]
hooks:
  success: [{ uses: "grid:notify-slack" }]
  exit: [{ uses: "grid:notify-mail", with: { to: a@example.org, sendmail: /nowhere/sendmail } }]
`,
  });
  const ran = await grid(["run", "p.yaml"], { cwd: home.path, env: server.env });
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(server.posts.length, 1, "what will not do is not tried again");
  assert.match(ran.stderr, /curl: \(22\).*400/);
  await using moved = listen({ "/slack": [503, 301] });
  const led = await grid(["run", "p.yaml"], { cwd: home.path, env: moved.env });
  assert.equal(led.code, 0, led.stderr);
  assert.equal(moved.posts.length, 2);
  assert.match(led.stderr, /nobody was told: the server answers 301/);
  const missing = await grid(["run", "p.yaml"], { cwd: home.path });
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /SLACK_WEBHOOK_URL is not set/);
});
