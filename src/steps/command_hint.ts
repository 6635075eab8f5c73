/** What to do about a command that did not find what it needs: what the shell of a job lacks is said where. */
import { limitHint } from "./limit_hint.ts";

const PAGE = "docs/environments.md";

/** A program that a shell could not find: `bash: line 3: conda: command not found`, and dash's way to say it. */
const NOT_FOUND = [
  /(?:^|: )([\w.+-]{1,64}): (?:command )?not found\s*$/,
  /(?:^|: )line \d+: ([\w.+/-]{1,200}): No such file or directory\s*$/,
  /^Unknown command\W{1,3}([\w.+-]{1,64})/,
];
/** Wrappers have codes of their own for it: uv 2, poetry 1. */
const WRAPPED = [
  /^error: Failed to spawn: `?([^`]{1,200}?)`?$/,
  /^Command not found: (\S{1,200})\s*$/,
  /^mise ERROR (?:.*: )?(?:command )?not found: (\S{1,200})/,
];
const UNPREPARED_CONDA = /CondaError: Run 'conda init'|Your shell has not been properly configured/;

/** What cures the lack of a program, by its name. */
const CURES: Readonly<Record<string, string>> = {
  conda: 'before: [". /opt/conda/etc/profile.d/conda.sh", conda activate ENV]',
  mamba: 'before: [". /opt/conda/etc/profile.d/conda.sh", conda activate ENV]',
  micromamba: 'before: ["export PATH=$HOME/.local/bin:$PATH"], then micromamba run -n ENV command',
  module:
    "before: [. /etc/profile.d/modules.sh, module load NAME]; for Lmod . /etc/profile.d/lmod.sh",
  ml: "before: [. /etc/profile.d/lmod.sh, ml NAME]",
  uv: 'before: ["export PATH=$HOME/.local/bin:$PATH"]',
  poetry: 'before: ["export PATH=$HOME/.local/bin:$PATH"]',
  nvcc: "before: [. /etc/profile.d/modules.sh, module load cuda], or the folder of CUDA on PATH",
  python: "python3, or the environment's own: before: [. .venv/bin/activate]",
};

/** One sentence; undefined where nothing is known of it. */
export function commandHint(code: number, stderr: string): string | undefined {
  const lines = stderr.split(/\r?\n/).map((line) => line.trim());
  if (UNPREPARED_CONDA.test(stderr)) {
    return `a job's shell is no login: ${CURES["conda"]} (${PAGE})`;
  }
  const wrapped = firstMatch(lines, WRAPPED);
  if (wrapped !== undefined) {
    return `"${wrapped}" is not in the environment that the command ran in: install it there, or ` +
      `see whether it is the right one (${PAGE})`;
  }
  const missing = firstMatch(lines, NOT_FOUND);
  const cure = Object.hasOwn(CURES, missing ?? "") ? CURES[missing ?? ""] : undefined;
  if (missing !== undefined && cure !== undefined) {
    return `a job's shell reads no login files, so "${missing}" must be prepared: ${cure} (${PAGE})`;
  }
  if (code === 127 && missing?.includes("/")) {
    return `"${missing}" is not there: paths start in the folder that the command ran in`;
  }
  if (code === 127) {
    const what = missing === undefined ? "a command" : `"${missing}"`;
    return `${what} is not on PATH: a job's shell reads no login files; shell: bash -l reads them, ` +
      `before: activates conda, modules or a venv (${PAGE})`;
  }
  return code === 126 ? notExecutable(lines) : limitHint(code, stderr);
}

/** The same of a command in a container, for which no shell of the node's reads anything. */
export function containedHint(code: number, stderr: string): string | undefined {
  if (code !== 127) return commandHint(code, stderr);
  const missing = firstMatch(stderr.split(/\r?\n/).map((line) => line.trim()), NOT_FOUND);
  const what = missing === undefined ? "a command" : `"${missing}"`;
  return `${what} is not on PATH in the image: take one that has it, or install it under before:`;
}

function notExecutable(lines: readonly string[]): string {
  const has = (pattern: RegExp) => lines.some((line) => pattern.test(line));
  if (has(/bad interpreter: Permission denied/)) {
    return "this account may not run the program that the script's first line names, or not enter a " +
      "folder above it: namei -l PROGRAM shows which";
  }
  if (has(/bad interpreter/)) {
    return "the first line of the script names a program that is not there, or it ends in CR LF: " +
      "file SCRIPT shows which";
  }
  if (has(/Exec format error|cannot execute binary file/)) {
    return "the program is built for another kind of machine: uname -m on the node, file PROGRAM here";
  }
  if (has(/Argument list too long/)) {
    return "its arguments or variables are too long: hand them over in a file";
  }
  return "the file cannot be run: chmod +x it where it comes from, or name its interpreter; a disk " +
    "mounted noexec does not run anything";
}

function firstMatch(lines: readonly string[], patterns: readonly RegExp[]): string | undefined {
  for (const line of lines.toReversed()) {
    for (const pattern of patterns) {
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
