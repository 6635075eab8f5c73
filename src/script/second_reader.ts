/**
 * Commands that read an argument once more, as code, as a name or as arithmetic. Quotes are gone by
 * then, so that no writing of a value can keep it whole.
 */
import { type Refusal, REFUSALS } from "./refusal.ts";

/** Stands in a word for what the script does not spell out. */
export const UNKNOWN = "\0";

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "ash"]);
const PRINTERS = new Set(["echo", "printf"]);
/** Commands that run the command behind their own flags. */
const WRAPPERS = new Set(["sudo", "env", "nohup", "nice", "timeout", "sshpass", "xargs", "setsid"]);
/** Flags of ssh that take the next word. */
const SSH_FLAG_WITH_WORD = /^-[A-Za-z0-9]*[bcDEeFIiJLlmOopQRSWw]$/;
/** Builtins whose arguments declare variables; `export` and `readonly` take plain names only. */
const DECLARERS = new Set(["declare", "typeset", "local", "export", "readonly"]);
/** Builtins that run another command as if they were not there. */
const PREFIXES = new Set(["command", "builtin", "exec"]);

export interface Argument {
  /** The words of the command before the one that holds the value. */
  readonly words: readonly string[];
  /** What the word holds before the value. */
  readonly prefix: string;
}

/** Why a value cannot stand in this argument; `number` where it may, as a number. */
export function secondReader(argument: Argument): Refusal | "number" | undefined {
  const { prefix } = argument;
  const words = withoutPrefixes(argument.words);
  const [command] = words;
  if (command === undefined || PRINTERS.has(command)) {
    return command === "printf" && words.at(-1) === "-v" ? REFUSALS.name : undefined;
  }
  if (command === "let") return "number";
  if (command === "eval") return REFUSALS.eval;
  if (command === "trap" && firstOperand(words.slice(1)) === undefined) return REFUSALS.eval;
  if (["test", "[", "[["].includes(command) && /^-[vR]$/.test(words.at(-1) ?? "")) {
    return REFUSALS.name;
  }
  if (command === "read" || command === "unset") return ofName(words);
  if (DECLARERS.has(command)) return ofDeclaration({ words, prefix });
  return forShell(words, prefix) ?? forSsh(words);
}

/** Whoever reads the stdin of a command as code: `bash <<END`, `ssh host <<END`. */
export function readerOfInput(all: readonly string[]): Refusal | undefined {
  const words = withoutPrefixes(all);
  const shell = words.findIndex(isShell);
  if (sshIn(words) !== -1) return REFUSALS.ssh;
  if (shell === -1 || PRINTERS.has(words[0] ?? "")) return undefined;
  const rest = words.slice(shell + 1);
  return rest.every((word) => /^[-+]/.test(word)) || rest.includes("-s")
    ? REFUSALS.secondShell
    : undefined;
}

/** Whether the next word of a command may be the name of a variable, perhaps with a value. */
export function takesNames(words: readonly string[]): boolean {
  return words.length === 0 || words[0] === "read" || words[0] === "unset" ||
    DECLARERS.has(words[0] ?? "");
}

function ofName(words: readonly string[]): Refusal | undefined {
  // `read -p text -t 5 name`: what follows such a flag is no name.
  const isOfFlag = words[0] === "read" && /^-[A-Za-z]*[dinNptu]$/.test(words.at(-1) ?? "");
  return isOfFlag ? undefined : REFUSALS.name;
}

function ofDeclaration({ words, prefix }: Argument): Refusal | "number" | undefined {
  const flags = words.slice(1).filter((word) => /^[-+]/.test(word)).join("");
  if (words[0] === "export" || words[0] === "readonly") return undefined;
  if (flags.includes("i")) return "number";
  return flags.includes("n") || !prefix.includes("=") ? REFUSALS.name : undefined;
}

/** `bash -lc "…"`, also behind sudo, docker exec and the like. */
function forShell(words: readonly string[], prefix: string): Refusal | undefined {
  const isSu = words[0] === "su";
  const shell = isSu ? 0 : words.findIndex(isShell);
  if (shell === -1) return undefined;
  if (isSu) return words.at(-1) === "-c" ? REFUSALS.secondShell : undefined;
  const rest = words.slice(shell + 1);
  // A value in the flags themselves is no script.
  if (/^[-+]/.test(prefix)) return undefined;
  const takesScript = rest.some((word) => /^-[A-Za-z]*c[A-Za-z]*$/.test(word));
  return takesScript &&
      firstOperand(rest, /^([-+][A-Za-z]*[oO]|--rcfile|--init-file)$/) === undefined
    ? REFUSALS.secondShell
    : undefined;
}

/** Everything behind the host is joined and read by the shell over there. */
function forSsh(words: readonly string[]): Refusal | undefined {
  const at = sshIn(words);
  if (at === -1) return undefined;
  return firstOperand(words.slice(at + 1), SSH_FLAG_WITH_WORD) === undefined
    ? undefined
    : REFUSALS.ssh;
}

function sshIn(words: readonly string[]): number {
  const at = words.findIndex((word) => baseName(word) === "ssh");
  return at === 0 || WRAPPERS.has(words[0] ?? "") ? at : -1;
}

function withoutPrefixes(words: readonly string[]): readonly string[] {
  return PREFIXES.has(words[0] ?? "") ? withoutPrefixes(words.slice(1)) : words;
}

function firstOperand(words: readonly string[], flagWithWord?: RegExp): string | undefined {
  return words.find((word, index) => {
    if (/^[-+]./.test(word)) return false;
    return !(flagWithWord?.test(words[index - 1] ?? "") ?? false);
  });
}

function isShell(word: string): boolean {
  return SHELLS.has(baseName(word));
}

function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
