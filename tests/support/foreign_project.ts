/** Somebody else's repository, in which everything that a runtime looks for contradicts Grid's own. */
import { project } from "./cli.ts";
import type { TempDir } from "./temp_dir.ts";

/** A pipeline of two steps on the machine itself. */
export const HELLO = `name: hello
steps:
  - { id: greet, run: 'echo "who=$USER_OF_GRID" >> "$GRID_OUTPUT"; echo hello from $PWD' }
  - { id: again, needs: greet, run: echo again }
`;

/** What a project may demand of its own code, and none of it must be an error of ours. */
export const STRICT: Readonly<Record<string, boolean>> = {
  strict: true,
  declaration: true,
  isolatedDeclarations: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitReturns: true,
  noImplicitOverride: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  noFallthroughCasesInSwitch: true,
  verbatimModuleSyntax: true,
};

export function foreignProject(files: Readonly<Record<string, string>> = {}): TempDir {
  const folder = project({
    "deno.json": JSON.stringify({
      lock: { frozen: true },
      imports: { yaml: "npm:yaml@1.10.2", zod: "npm:zod@3.22.0", ssh2: "./broken.ts" },
      tasks: { test: "echo no" },
      compilerOptions: STRICT,
    }),
    "deno.lock": '{"version":"5","specifiers":{},"npm":{}}\n',
    "package.json": JSON.stringify({
      name: "foreign",
      version: "1.0.0",
      type: "commonjs",
      dependencies: { yaml: "1.10.2", zod: "3.22.0" },
      scripts: { train: "grid run hello.yaml" },
    }),
    ".npmrc": "registry=http://127.0.0.1:9/\n",
    "broken.ts": "throw new Error('the project was asked for its ssh2');\n",
    "node_modules/yaml/package.json": '{"name":"yaml","version":"1.10.2","main":"index.js"}\n',
    "node_modules/yaml/index.js": "throw new Error('the project was asked for its yaml');\n",
    ".gitignore": "node_modules/\n",
    "hello.yaml": HELLO,
    "deep/er/hello.yaml": HELLO,
    ...files,
  });
  Deno.chmodSync(folder.path, 0o755); // other accounts may look into it
  gitLines(folder.path, [["init", "--quiet"]]);
  commitAll(folder.path);
  return folder;
}

/** Whatever lies there is the project's own from now on. */
export function commitAll(folder: string): void {
  const who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
  const commit = ["commit", "--quiet", "--allow-empty", "-m", "a project"];
  gitLines(folder, [["add", "--all"], [...who, ...commit]]);
}

/** What git sees that was not committed. */
export function strangeFiles(folder: string): string {
  return gitLines(folder, [["status", "--porcelain"]]);
}

function gitLines(cwd: string, lines: readonly (readonly string[])[]): string {
  let said = "";
  for (const args of lines) {
    const git = new Deno.Command("git", { args: [...args], cwd });
    const { success, stdout, stderr } = git.outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    said = new TextDecoder().decode(stdout);
  }
  return said;
}
