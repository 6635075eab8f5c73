/** What the system refused on this machine, in words: no room, no right, no more open files. */
import { own } from "./own.ts";

export interface Refusal {
  readonly code: "disk-full" | "permission" | "open-files";
  readonly state: string;
  readonly hint: string;
}

const FULL: Refusal = {
  code: "disk-full",
  state: "no room is left on the disk of this machine",
  hint: "make room there: df -h",
};
const QUOTA: Refusal = { ...FULL, state: "a quota on this machine is used up", hint: "see: quota" };
const DENIED: Refusal = {
  code: "permission",
  state: "this account has no right to",
  hint: "use a folder of your own, or ask for the right: ls -ld <folder>",
};
const READ_ONLY: Refusal = {
  code: "permission",
  state: "that disk of this machine is read-only",
  hint: "use a folder that may be written",
};
const NO_FILES: Refusal = {
  code: "open-files",
  state: "this process may not open more files",
  hint: "see the limit with ulimit -n, and raise it: ulimit -n 4096",
};
const BROKEN_DISK: Refusal = {
  code: "disk-full",
  state: "the disk of this machine does not take it (I/O error)",
  hint: "look at the disk: dmesg | tail",
};

/** By the names of errno(3). */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  ENOSPC: FULL,
  EFBIG: { ...FULL, state: "the file may not grow any further", hint: "see: ulimit -f" },
  EDQUOT: QUOTA,
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: READ_ONLY,
  EMFILE: NO_FILES,
  ENFILE: { ...NO_FILES, state: "this machine has no more open files to give" },
  EIO: BROKEN_DISK,
};

/** What the system refused; undefined for any other error. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return own(REFUSALS, String(thrown.code));
}

/**
 * Of "Permission denied (os error 13): mkdir '/x'" and "EACCES: permission denied, mkdir '/x'" the
 * last part.
 */
export function refusedAction({ message }: Error): string {
  const call = /(?:\(os error \d+\): |, )([a-z]+)(?: '(.*)')?$/s.exec(message);
  if (call === null) return "go on";
  const [, name = "", path] = call;
  const verb = own(VERBS, name) ?? name;
  return path === undefined ? verb : `${verb} "${path}"`;
}

/** System calls whose names say little. */
const VERBS: Readonly<Record<string, string>> = {
  mkdir: "make the folder",
  open: "open",
  opendir: "read the folder",
  readdir: "read the folder",
  scandir: "read the folder",
  readfile: "read",
  writefile: "write",
  stat: "look at",
  lstat: "look at",
  unlink: "delete",
  rm: "delete",
  remove: "delete",
  rename: "rename",
  chmod: "change the mode of",
};

/** What an error says to people: without the number that Deno writes behind the system's words. */
export function thrownWords(thrown: unknown): string {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return words.replaceAll(/ \(os error \d+\)/g, "");
}

/** Which package Deno neither has nor can fetch, where a module could not be loaded for that. */
export function missingPackage(thrown: unknown): string | undefined {
  if (!(thrown instanceof TypeError)) return undefined;
  return /^Failed caching npm package '([^']+)'/.exec(thrown.message)?.[1];
}
