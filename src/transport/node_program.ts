/**
 * The one way onto a node: every program that Grid runs there is a file beside the code that runs it, and
 * is read here. What writes on a node starts with the prelude, whose rules `docs/nodes.md` tells.
 */
const texts = new Map<string, string>();

/**
 * A program's text, read once per process, as nodes get it: without lines that are comments. Not with
 * promises: the first command would wait for whatever is loaded meanwhile.
 *
 * @param base `import.meta.url` of the module that runs it
 */
export function nodeProgram(name: string, base: string): string {
  const url = new URL(name, base);
  const known = texts.get(url.href);
  if (known !== undefined) return known;
  const text = withoutComments(Deno.readTextFileSync(url));
  texts.set(url.href, text);
  return text;
}

/** Shell functions that make folders and names of our own; see the head of `prelude.sh`. */
export function nodePrelude(): string {
  return nodeProgram("prelude.sh", import.meta.url);
}

/**
 * A program for a channel of its own: the command is constant, and the program is the first that goes over
 * stdin, so that it works with every login shell.
 *
 * @param text POSIX shell, ASCII only; what follows it on stdin is the program's to read
 */
export function programOverStdin(text: string): {
  readonly command: string;
  readonly script: string;
} {
  const script = `${text}\n`;
  return { command: `eval "$(${readExactly(script.length)})"`, script };
}

/** Nothing but the program may be taken from the input, and one byte at a time is slow. */
function readExactly(count: number): string {
  const fast = `dd bs=${count} count=1 iflag=fullblock`;
  return `${fast} 2>/dev/null || dd bs=1 count=${count} 2>/dev/null`;
}

/** They cost the node one read per byte, and so do blank lines. What indents stays: there may be Python in it. */
function withoutComments(program: string): string {
  return program.replaceAll(/^[^\S\n]*(?:#.*)?\n/gm, "");
}
