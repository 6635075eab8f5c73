/**
 * What goes before a command in its own shell: the lines of `before:`, and the account's login files for
 * `shell: bash -l`. A command begins only behind all of it.
 *
 * While it lasts, the file that `$GRID_OUTPUT` names says how far it is, so that whatever ends the shell there
 * (a line that fails, `exit 0`, `exec`), the step is known not to have begun. Lines that write outputs
 * themselves write to a file beside it, which takes its place in the end.
 */
import { quote } from "../core/shell.ts";
import type { Shell } from "../pipeline/pipeline.ts";

/** A line, and who says it. */
export interface PreparedLine {
  readonly script: string;
  readonly by: "node" | "step";
}

export interface Preparation {
  readonly lines: readonly PreparedLine[];
  readonly shell: Shell;
  /** Names of the job's own variables: what start-up files say of them does not count. */
  readonly variables: readonly string[];
  /** Folders that come first on PATH. */
  readonly pathPrefix: readonly string[];
}

/** How the file begins while the command has not begun; the number of the line follows, 0 for login files. */
const MARK = "grid: before ";

/** Sets it where it can be set back: a start-up file must not give a job GPUs that others hold. */
const DEVICES = [
  "GRID_GPUS",
  "CUDA_DEVICE_ORDER",
  "CUDA_VISIBLE_DEVICES",
  "HIP_VISIBLE_DEVICES",
  "ROCR_VISIBLE_DEVICES",
  "GPU_DEVICE_ORDINAL",
];

/** The same for a step that goes without preparation. */
export function isPrepared({ lines, shell }: Pick<Preparation, "lines" | "shell">): boolean {
  return lines.length > 0 || shell === "bash -l";
}

/**
 * The whole script of the job. The command stays on the first line, so that line numbers in a shell's
 * messages are those of its author.
 *
 * @param prelude shell text that runs before anything else, in the job's first shell
 */
export function preparedScript(
  command: string,
  { prelude, ...preparation }: Preparation & { readonly prelude: string },
): string {
  if (!isPrepared(preparation)) return prelude + command;
  const script = `${MARK_OUTPUT}eval "unset GRID_BEFORE; $GRID_BEFORE"; ${command}`;
  return prelude + (preparation.shell === "bash -l" ? loginScript(script, preparation) : script);
}

/** Variables that the job of a prepared command needs besides its own. */
export function preparedVariables(preparation: Pick<Preparation, "lines" | "shell">) {
  return isPrepared(preparation) ? { GRID_BEFORE: linesScript(preparation) } : {};
}

/** From here on outputs go beside the file that tells how far it is. */
const MARK_OUTPUT = "grid_mark=$GRID_OUTPUT GRID_OUTPUT=${GRID_OUTPUT%.output}.value.before; ";

function mark(line: number): string {
  return `echo '${MARK}${line}' >|"$grid_mark"`;
}

interface Lines extends Pick<Preparation, "lines" | "shell"> {
  /** How many lines were before these. */
  readonly after?: number;
  /** What comes behind them; default: the command begins. */
  readonly end?: readonly string[];
}

function linesScript({ lines, shell, after = 0, end = BEGIN }: Lines): string {
  const marked = lines.flatMap(({ script }, index) => [mark(after + index + 1), script]);
  // A plain sh goes on behind what fails.
  const [strict, lenient] = shell === "sh" ? [["set -e"], ["set +e"]] : [[], []];
  return [
    ...strict,
    ...marked,
    ...lenient,
    ...end,
    "",
  ].join("\n");
}

/** The file becomes what it is for. */
const BEGIN = [
  'if [ -s "$GRID_OUTPUT" ]; then cat -- "$GRID_OUTPUT" >|"$grid_mark"; else : >|"$grid_mark"; fi',
  "GRID_OUTPUT=$grid_mark; unset grid_mark",
];

/**
 * The whole script of a job whose command runs in a container: the node's lines, and what starts it, run on
 * the node; the step's lines inside, in the shell of the command.
 *
 * @param contain shell text that runs `$GRID_SCRIPT` in the container and does not return
 */
export function containedScript(
  command: string,
  { prelude, contain, lines, shell }: Pick<Preparation, "lines" | "shell"> & {
    readonly prelude: string;
    readonly contain: string;
  },
): { readonly script: string; readonly variables: Readonly<Record<string, string>> } {
  const outside = lines.filter(({ by }) => by === "node");
  const inside = lines.filter(({ by }) => by === "step");
  const start = [
    "GRID_OUTPUT=$grid_mark",
    "export GRID_SCRIPT=$GRID_INNER",
    "unset GRID_INNER",
    contain,
  ];
  return {
    script: `${prelude}${MARK_OUTPUT}eval "unset GRID_OUTER; $GRID_OUTER"`,
    variables: {
      GRID_OUTER: linesScript({ lines: outside, shell: "bash", end: start }),
      GRID_BEFORE: linesScript({ lines: inside, shell, after: outside.length }),
      GRID_INNER: `${MARK_OUTPUT}eval "unset GRID_BEFORE; $GRID_BEFORE"; ${command}`,
    },
  };
}

/**
 * The login shell prepares, then it turns into the step's own shell: so the account's `.bash_logout` has no
 * say in the exit code, what start-up files print is no output of the step, and what they make of PATH, of
 * the job's variables, its folder and its GPUs does not count.
 */
function loginScript(
  script: string,
  { variables, pathPrefix }: Pick<Preparation, "variables" | "pathPrefix">,
): string {
  const own = variables.filter((name) => name !== "PATH" && !DEVICES.includes(name));
  const path = variables.includes("PATH") ? '"$PATH"' : quote(pathPrefix.join(":"));
  const kept = (name: string) => `GRID_KEPT_${name}`;
  const all = ["PATH", "PWD", ...own, ...DEVICES].map(kept);
  const before = [
    `grid_mark=$GRID_OUTPUT`,
    mark(0),
    ...own.map((name) => `export ${kept(name)}="\${${name}-}"`),
    ...DEVICES.map((name) => `[ -z "\${${name}+set}" ] || export ${kept(name)}="$${name}"`),
    `export ${kept("PATH")}=${path} ${kept("PWD")}="$PWD"`,
    `export GRID_SCRIPT=${quote(script)} GRID_LOGIN=${quote(AFTER_LOGIN)}`,
  ];
  const after = [
    `cd -- "$${kept("PWD")}" || exit 126`,
    ...own.map((name) => `export ${name}="$${kept(name)}"`),
    ...DEVICES.map((name) =>
      `if [ -n "\${${kept(name)}+set}" ]; then export ${name}="$${
        kept(name)
      }"; else unset ${name}; fi`
    ),
    `export PATH="$${kept("PATH")}\${PATH:+:$PATH}"`,
    `unset ${all.join(" ")}`,
  ];
  before.push(`export GRID_AFTER=${quote(after.join("\n"))}`);
  const start = '"$BASH" -l -c "$GRID_LOGIN" grid 3>&1 4<&0 >&2 </dev/null';
  const plain = 'sh -l -c "$GRID_LOGIN" grid 3>&1 4<&0 >&2 </dev/null';
  return `${before.join("; ")}; ` +
    `if [ -n "\${BASH_VERSION-}" ]; then exec ${start}; else exec ${plain}; fi`;
}

const AFTER_LOGIN = [
  'set +eu; eval "unset GRID_LOGIN GRID_AFTER; $GRID_AFTER"',
  "grid_run='eval \"unset GRID_SCRIPT; $GRID_SCRIPT\"'",
  'if [ -n "${BASH_VERSION-}" ]; then exec "$BASH" --norc -eo pipefail -c "$grid_run" grid >&3 3>&- <&4 4<&-',
  'else exec sh -e -c "$grid_run" grid >&3 3>&- <&4 4<&-; fi',
].join("\n");

/** How far a job came that has ended: the line that it stopped at, 0 for login files; undefined once it began. */
export function stoppedBefore(outputFile: string): number | undefined {
  if (!outputFile.startsWith(MARK)) return undefined;
  const line = /^\d{1,6}(?=\n)/.exec(outputFile.slice(MARK.length));
  return line ? Number(line[0]) : undefined;
}

/** Words at which a line of a script does not end what it began. */
const OPEN =
  /(^|[\s;&|])(if|then|elif|else|for|while|until|do|case|select|function)\b|[{(\\|]\s*$|&&\s*$|<<|^\s*[})]|\b(fi|done|esac)\b/;

/** A script by its lines where each stands for itself, so that the one that fails can be named. */
export function linesOf(script: string): readonly string[] {
  const lines = script.split("\n").filter((line) => line.trim() !== "");
  const isWhole = (line: string) => !OPEN.test(line) && !/['"`]/.test(withoutQuoted(line));
  return lines.length > 1 && lines.every(isWhole) ? lines : [script];
}

function withoutQuoted(line: string): string {
  return line.replaceAll(/'[^']*'|"(?:[^"\\]|\\.)*"/g, "");
}
