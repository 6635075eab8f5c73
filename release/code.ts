/** The sources as JavaScript that runs from an installed package, with the types of the library. */
import { dirname, join, relative } from "node:path";
import ts from "typescript";

export interface CodeOptions {
  readonly repository: string;
  readonly to: string;
}

/** Files beside the code that Grid reads while it runs. */
const DATA = /\.(?:sh|py|pl|bash|zsh|fish)$/;

/** Writes `mod.js`, `src/**.js`, what lies beside them, and `*.d.ts` of all that `mod.ts` names. */
export async function writeCode({ repository, to }: CodeOptions): Promise<void> {
  const sources = ["mod.ts", ...walk(repository, "src").filter((path) => path.endsWith(".ts"))];
  await transpile(sources, { repository, to });
  for (const source of sources) {
    const path = join(to, source.replace(/\.ts$/, ".js"));
    Deno.writeTextFileSync(path, withoutTypeScript(Deno.readTextFileSync(path)));
  }
  for (const path of walk(repository, "src").filter((path) => DATA.test(path))) {
    Deno.mkdirSync(dirname(join(to, path)), { recursive: true });
    Deno.copyFileSync(join(repository, path), join(to, path));
  }
  writeTypes("mod.ts", { repository, to }, new Set());
}

async function transpile(
  sources: readonly string[],
  { repository, to }: CodeOptions,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["transpile", "--quiet", "--outdir", to, ...sources],
    cwd: repository,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`deno transpile: ${new TextDecoder().decode(stderr)}`);
}

/** Names modules as they are installed: `./x.js` for `./x.ts`, `yaml` for `npm:yaml@2.9.1`. */
export function withoutTypeScript(code: string): string {
  return code
    .replaceAll(/(["`])(\.{1,2}\/[^"`\n]*)\.ts\1/g, "$1$2.js$1")
    .replaceAll(/"npm:((?:@[^/"@]+\/)?[^/"@]+)@[^/"]+([^"]*)"/g, '"$1$2"');
}

/** Follows the imports of declarations only: a type that nobody can name needs none. */
function writeTypes(source: string, options: CodeOptions, seen: Set<string>): void {
  if (seen.has(source)) return;
  seen.add(source);
  const full = join(options.repository, source);
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(Deno.readTextFileSync(full), {
    fileName: full,
    compilerOptions: {
      declaration: true,
      isolatedDeclarations: true,
      strict: true,
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
    },
  });
  const [fault] = diagnostics;
  if (fault !== undefined) {
    const words = ts.flattenDiagnosticMessageText(fault.messageText, "\n");
    throw new Error(`${source} is part of the library and has no written types: ${words}`);
  }
  const path = join(options.to, source.replace(/\.ts$/, ".d.ts"));
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, withoutTypeScript(outputText));
  for (const [, specifier = ""] of outputText.matchAll(/(?:from |import\()"(\.[^"]+\.ts)"/g)) {
    writeTypes(join(dirname(source), specifier), options, seen);
  }
}

/** Paths of files below a folder, relative to `root`, in order. */
export function walk(root: string, folder: string): string[] {
  const entries = [...Deno.readDirSync(join(root, folder))]
    .toSorted((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    const path = relative(root, join(root, folder, name));
    return isDirectory ? walk(root, path) : [path];
  });
}
