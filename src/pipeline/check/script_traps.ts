/** Lines of scripts that do something else than they seem to: each with its place, why, and what does it right. */
import type { Container, Key } from "../../document/source.ts";
import type { WrittenStep } from "../written_step.ts";
import type { TextReader } from "../../expression/reader.ts";

interface Trap {
  readonly rule: string;
  /** What of a line is shown, and whether it is one. */
  find(line: string): string | undefined;
  readonly message: string;
  hint(found: string, line: string): string;
}

/** A comment that says it is meant: at the end of the line, or on the line before. */
const MEANT = /#\s*grid: meant\b/;

const CONTAINER_RUN = /\b(docker|podman|nerdctl)\s+(?:container\s+)?(?:run|exec)\s+([^|;&]*)/;
/** Options before the image, which ends them; those with a value of their own are known by their form. */
const TERMINAL = /^-[a-z]*t[a-z]*$|^--tty(?:=true)?$/;
const DETACHED = /^-[a-z]*d[a-z]*$|^--detach(?:=true)?$/;

const TRAPS: readonly Trap[] = [
  {
    rule: "eval-substitution",
    find: (line) => /\beval\s+"?\$\(/.exec(line)?.[0],
    message: "an activation that fails goes unnoticed here: the shell looks at eval's exit code, " +
      "not at that of the command in $( )",
    hint: () => 'write two lines: hook=$(…), which fails the step, and then eval "$hook"',
  },
  {
    rule: "container-terminal",
    find: (line) => optionOf(line, TERMINAL),
    message: "a step has no terminal: with -t lines end in CR LF, and stderr is in stdout",
    hint: (option) => `leave the t out of ${option}`,
  },
  {
    rule: "container-detached",
    find: (line) => optionOf(line, DETACHED),
    message: "the container goes on when the step has ended, and nobody ends it with the run",
    hint: (_, line) =>
      `leave -d out, or end it: trap '${CONTAINER_RUN.exec(line)?.[1]} rm -f NAME' EXIT`,
  },
  {
    rule: "captured-output",
    find: (line) => capturedRun(line),
    message:
      "conda run keeps all output until the end: a step that times out has printed nothing, " +
      "and timeout.idle sees nothing",
    hint: () => "write conda run --no-capture-output",
  },
];

/** Warns of such lines in `run`, `before` and `ray-batch.command`. */
export function checkScriptTraps({ entry }: Pick<WrittenStep, "entry">, reader: TextReader): void {
  check(entry, "run", reader);
  if (entry["ray-batch"]) check(entry["ray-batch"], "command", reader);
  checkBefore(entry, reader);
}

/** The same for the lines of `before` alone. */
export function checkBefore(
  entry: { readonly before?: string | readonly string[] | undefined },
  reader: TextReader,
): void {
  const { before } = entry;
  if (typeof before === "string") check(entry, "before", reader);
  else for (const index of before?.keys() ?? []) check(before as Container, index, reader);
}

function check(container: Container, key: Key, reader: TextReader): void {
  const script = (container as Record<Key, unknown>)[key];
  if (typeof script !== "string") return;
  let start = 0;
  let isMeant = false;
  for (const line of script.split("\n")) {
    const isComment = /^\s*#/.test(line);
    if (!isMeant && !isComment && !MEANT.test(line)) {
      report(line, { container, key, start }, reader);
    }
    isMeant = isComment && MEANT.test(line);
    start += line.length + 1;
  }
}

interface LineOf {
  readonly container: Container;
  readonly key: Key;
  readonly start: number;
}

function report(line: string, { container, key, start }: LineOf, reader: TextReader): void {
  for (const { rule, find, message, hint } of TRAPS) {
    const found = find(line);
    if (found === undefined) continue;
    const index = start + line.indexOf(found);
    reader.report({
      severity: "warning",
      rule,
      spot: reader.source.spotWithin(container, key, { index, length: found.length }),
      message,
      hint: `${hint(found, line)}; where it is meant: # grid: meant`,
    });
  }
}

function optionOf(line: string, wanted: RegExp): string | undefined {
  const words = CONTAINER_RUN.exec(line)?.[2]?.split(/\s+/) ?? [];
  for (const [index, word] of words.entries()) {
    if (word.startsWith("-")) {
      if (wanted.test(word)) return word;
    } else if (!takesValue(words[index - 1])) return undefined;
  }
  return undefined;
}

/** Whether the word before is an option that the next one belongs to: all but the few switches. */
function takesValue(option: string | undefined): boolean {
  return option !== undefined && option.startsWith("-") && !option.includes("=") &&
    !/^(-[ditP]+|--(rm|init|detach|tty|interactive|privileged|read-only|replace|no-healthcheck))$/
      .test(option);
}

function capturedRun(line: string): string | undefined {
  const [found, words = ""] = /\b(?:conda|mamba)\s+run\b([^|;&]*)/.exec(line) ?? [];
  const isLive = /(^|\s)(--no-capture-output|--live-stream)(\s|$)/.test(words);
  return found === undefined || isLive ? undefined : found.slice(0, found.indexOf("run") + 3);
}
