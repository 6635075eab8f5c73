/** Files of a run's folder: what the report links, and nothing else. */
import { hash } from "node:crypto";
import { extname, join } from "node:path";
import { GridError } from "../core/errors.ts";
import { asRelativePath } from "../core/relative_path.ts";
import { SCRIPT } from "../report/html_script.ts";

const FILES = new Set([
  "report.html",
  "report.json",
  "junit.xml",
  "summary.md",
  "metrics.prom",
  "events.jsonl",
]);
const FOLDERS = ["logs/", "results/"];

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

/** A report brings its looks along and reaches for nothing; no script runs there but the report's own. */
function reportPolicy(): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash("sha256", SCRIPT, "base64")}'`,
    // Reports of an older Grid have other looks.
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
