/** Somebody else's repository, in which everything that a runtime looks for contradicts Grid's own. */
import { project } from "./cli.ts";
import type { TempDir } from "./temp_dir.ts";

/** A pipeline of two steps on the machine itself. */
export const HELLO = `name: hello
steps:
  - { id: greet, run: 'echo "who=$USER_OF_GRID" >> "$GRID_OUTPUT"; echo hello from $PWD' }
  - { id: again, needs: greet, run: echo again }
`;

/** One that a test has to end. */
export const SLOW = `name: slow
steps:
  - { id: wait, node: local1, run: "echo begun; sleep 300" }
`;

export function foreignProject(files: Readonly<Record<string, string>> = {}): TempDir {
  const folder = project({
    "deno.json": JSON.stringify({
      lock: { frozen: true },
      imports: { yaml: "npm:yaml@1.10.2", zod: "npm:zod@3.22.0", ssh2: "./broken.ts" },
      tasks: { test: "echo no" },
    }),
    "deno.lock": '{"version":"5","specifiers":{},"npm":{}}\n',
    "package.json": JSON.stringify({
      name: "foreign",
      version: "1.0.0",
      type: "commonjs",
      dependencies: { yaml: "1.10.2", zod: "3.22.0" },
    }),
    ".npmrc": "registry=http://127.0.0.1:9/\n",
    "broken.ts": "throw new Error('the project was asked for its ssh2');\n",
    "node_modules/yaml/package.json": '{"name":"yaml","version":"1.10.2","main":"index.js"}\n',
    "node_modules/yaml/index.js": "throw new Error('the project was asked for its yaml');\n",
    "hello.yaml": HELLO,
    "slow.yaml": SLOW,
    "deep/er/hello.yaml": HELLO,
    ...files,
  });
  const who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
  const steps = [["init", "--quiet"], ["add", "--all", "--force"], [
    ...who,
    "commit",
    "--quiet",
    "-m",
    "a project",
  ]];
  for (const args of steps) {
    const { success, stderr } = new Deno.Command("git", { args, cwd: folder.path }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
  return folder;
}
