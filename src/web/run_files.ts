/** Files of a run's folder: what the report links, and nothing else. */
import { hash } from "node:crypto";
import { extname, join } from "node:path";
import { GridError } from "../core/errors.ts";
import { asRelativePath } from "../core/relative_path.ts";

const FILES = new Set([
  "report.html",
  "report.json",
  "junit.xml",
  "summary.md",
  "metrics.prom",
  "events.jsonl",
]);
const FOLDERS = ["logs/", "results/"];

/** Scripts that our own reports hold, word for word; no other one runs. */
const REPORT_SCRIPTS: readonly string[] = [];

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".json": "application/json; charset=utf-8",
};

/** @throws {GridError} `usage` where there is no such file to be seen */
export async function runFile(folder: string, name: string): Promise<Response> {
  const path = asRelativePath(name);
  const isKnown = path !== undefined &&
    (FILES.has(path) || FOLDERS.some((each) => path.startsWith(each)));
  if (!isKnown || !await isPlain(folder, path)) throw noFile(name);
  const file = await Deno.open(join(folder, path));
  const isReport = path === "report.html";
  const type = isReport || extname(path) === ".json" ? TYPES[extname(path)] : undefined;
  return new Response(file.readable, {
    headers: {
      "content-type": type ?? "text/plain; charset=utf-8",
      "content-security-policy": isReport ? reportPolicy() : "default-src 'none'; sandbox",
    },
  });
}

/** A link in its path could lead anywhere. */
async function isPlain(folder: string, path: string): Promise<boolean> {
  try {
    const full = await Deno.realPath(join(folder, path));
    return full === join(await Deno.realPath(folder), path) && (await Deno.lstat(full)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/** A report is one file that brings its looks along; it reaches for nothing. */
function reportPolicy(): string {
  const scripts = REPORT_SCRIPTS.map((text) => `'sha256-${hash("sha256", text, "base64")}'`);
  return [
    "default-src 'none'",
    `script-src ${scripts.length === 0 ? "'none'" : scripts.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function noFile(name: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot show "${name}": the run has no such file`,
    hint: "a report is written when its run is over; grid clean removes old ones",
  });
}
