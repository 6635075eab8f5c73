/**
 * Paths of this machine and of nodes, to the letter as Node's `path/posix` has them, which takes 4 ms to load. They are
 * words: nothing looks at a disk.
 */

export const sep = "/";
/** Between the folders of `PATH`. */
export const delimiter = ":";

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** A part that is empty, `.` or `..`, or a slash at the end: most paths have none. */
const ODD = /\/\.{0,2}(?:\/|$)|^\.{0,2}$|^\.{1,2}\//;

/** Without `.`, without `..` where there is something to leave, with single slashes. */
export function normalize(path: string): string {
  if (!ODD.test(path)) return path;
  if (path === "") return ".";
  const parts = partsOf(path, { isAbsolute: isAbsolute(path) });
  const inside = parts.join("/") + (parts.length > 0 && path.endsWith("/") ? "/" : "");
  if (isAbsolute(path)) return `/${inside}`;
  if (inside !== "") return inside;
  return path.endsWith("/") ? "./" : ".";
}

export function join(...paths: readonly string[]): string {
  return normalize(paths.filter((path) => path !== "").join("/"));
}

/** Absolute: from the right, until one is; the working folder stands before all. */
export function resolve(...paths: readonly string[]): string {
  let whole = "";
  for (let at = paths.length - 1; at >= 0 && !isAbsolute(whole); at--) {
    const path = paths[at];
    if (path) whole = `${path}/${whole}`;
  }
  if (!isAbsolute(whole)) whole = `${Deno.cwd()}/${whole}`;
  whole = whole.slice(0, -1) || "/";
  if (!ODD.test(whole)) return whole;
  return `/${partsOf(whole, { isAbsolute: true }).join("/")}`;
}

/** The way from one folder to a path, both made absolute before; empty where they are the same. */
export function relative(from: string, to: string): string {
  const [start, end] = [resolve(from), resolve(to)];
  if (end.startsWith(`${start}/`)) return end.slice(start.length + 1);
  const away = namesIn(start);
  const toward = namesIn(end);
  let shared = 0;
  while (shared < away.length && away[shared] === toward[shared]) shared++;
  return [...away.slice(shared).fill(".."), ...toward.slice(shared)].join("/");
}

function namesIn(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

export function dirname(path: string): string {
  if (path === "") return ".";
  const end = endOf(path);
  const slash = path.lastIndexOf("/", end - 1);
  if (slash < 0 || end === 0) return isAbsolute(path) ? "/" : ".";
  // Node keeps two slashes at the beginning, which POSIX leaves open.
  if (slash === 1 && path.startsWith("//")) return "//";
  return slash === 0 ? "/" : path.slice(0, slash);
}

export function basename(path: string): string {
  const end = endOf(path);
  return path.slice(path.lastIndexOf("/", end - 1) + 1, end);
}

/** With its dot; empty where there is none, or nothing before it. */
export function extname(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf(".");
  return dot <= 0 || name === ".." ? "" : name.slice(dot);
}

/** Where the last part ends, before the slashes behind it; 0 where there is none. */
function endOf(path: string): number {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return end;
}

function partsOf(path: string, { isAbsolute }: { readonly isAbsolute: boolean }): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolute) parts.push(part);
  }
  return parts;
}
