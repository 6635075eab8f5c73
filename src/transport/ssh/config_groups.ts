/**
 * Which hosts `ssh -G` would give one and the same answer, but for what is known beforehand: a process per
 * host is what makes a first look at hundreds of nodes slow. Where anything in the files could make a
 * difference that is not understood here, each host is asked about by itself.
 */
import { matchesHost } from "./known_hosts.ts";
import { type ConfigFilesOptions, includedFiles, readIfFile } from "./ssh_config_files.ts";

/** What an answer depends on. */
export interface ConfigGroup {
  /** Hosts with equal keys get equal answers, apart from what follows. */
  readonly key: string;
  /** Of this host alone; undefined where the answer itself is this host's. */
  readonly hostName: string | undefined;
  /** As written, with tokens; undefined where the answer's own counts. */
  readonly controlPath: string | undefined;
}

interface Line {
  readonly keyword: string;
  readonly value: string;
}

/** The lines of all files in the order in which they count; undefined where only `ssh` understands them. */
export type ConfigLines = readonly Line[] | undefined;

/** Circles end here; nobody nests deeper. */
const MOST_LEVELS = 4;

/** Printed as written, tokens and all. */
const RAW = new Set(["identityfile"]);

export function configLines(files: readonly string[], options: ConfigFilesOptions): ConfigLines {
  const lines: Line[] = [];
  return files.every((file) => collect(file, { lines, ...options, level: 0 })) ? lines : undefined;
}

export function groupOf(lines: ConfigLines, alias: string): ConfigGroup {
  const alone = { key: `alone ${alias}`, hostName: undefined, controlPath: undefined };
  // ssh prints names in small letters; what else it does to odd ones is its own affair.
  if (lines === undefined || !/^[a-z0-9_.:-]+$/.test(alias)) return alone;
  let isActive = true;
  let flags = "";
  const first = new Map<string, string>();
  for (const { keyword, value } of lines) {
    if (keyword === "host") {
      isActive = matchesHost(wordsOf(value), alias);
      flags += isActive ? "1" : "0";
    } else if (keyword === "match") isActive = true;
    else if (isActive && !first.has(keyword)) first.set(keyword, value);
    else if (isActive && value.includes("%") && !RAW.has(keyword)) return alone;
  }
  const { hostname = alias, controlpath, canonicalizehostname, ...rest } = Object.fromEntries(
    first,
  );
  const isKnown = /^[a-z0-9_.:-]+$/.test(hostname) && (canonicalizehostname ?? "no") === "no" &&
    Object.entries(rest).every(([keyword, value]) => RAW.has(keyword) || !value.includes("%"));
  if (!isKnown) return alone;
  const hasTokens = controlpath?.includes("%") ?? false;
  return {
    key: `like ${flags}`,
    hostName: hostname,
    controlPath: hasTokens ? controlpath : undefined,
  };
}

interface Walk extends ConfigFilesOptions {
  readonly lines: Line[];
  readonly level: number;
}

/** False where a line, or the order of lines, depends on more than the host's name. */
function collect(file: string, walk: Walk): boolean {
  /** Nothing before it in this file has a condition. */
  let isPlain = true;
  for (const source of readIfFile(file).split("\n")) {
    if (/^\s*(#|$)/.test(source)) continue;
    const [, keyword, value] = /^\s*([A-Za-z]\w*)(?:\s*=\s*|\s+)(\S.*?)\s*$/.exec(source) ?? [];
    if (keyword === undefined || value === undefined || value.includes("#")) return false;
    const line = { keyword: keyword.toLowerCase(), value: unquoted(value) };
    if (line.keyword === "match" && !/^all$/i.test(value)) return false;
    if (line.keyword === "include") {
      if (!isPlain || walk.level > MOST_LEVELS) return false;
      const files = includedFiles(value, { ...walk, file });
      const deeper = { ...walk, level: walk.level + 1 };
      if (!files.every((path) => collect(path, deeper))) return false;
      // A file's own sections end with it.
      walk.lines.push({ keyword: "match", value: "all" });
    } else {
      if (line.keyword === "host") isPlain = false;
      walk.lines.push(line);
    }
  }
  walk.lines.push({ keyword: "match", value: "all" });
  return true;
}

function unquoted(value: string): string {
  return /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value;
}

function wordsOf(text: string): string[] {
  return text.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
}
