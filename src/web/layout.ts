/** What every page has around it. */
import { basename } from "node:path";
import { formatDuration } from "../core/duration.ts";
import { type Markup, markup, trusted } from "./markup.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** Of one answer. */
export interface Frame {
  /** Absolute. */
  readonly project: string;
  readonly nonce: string;
  readonly formToken: string;
  /** Milliseconds since the Unix epoch; the browser's clock may be another. */
  readonly now: number;
}

export interface Page {
  readonly title: string;
  readonly main: Markup;
  /** Which word above it is the page's own. */
  readonly at?: "runs" | "schedule" | "nodes" | "compare";
  /** Where its news come from. */
  readonly live?: string | undefined;
}

const PLACES = [["runs", "/"], ["schedule", "/schedule"], ["nodes", "/nodes"], [
  "compare",
  "/compare",
]] as const;

export function renderPage(frame: Frame, { title, main, at, live }: Page): Markup {
  const { project, nonce, now } = frame;
  const links = PLACES.map(([name, path]) =>
    markup`<a href="${path}"${name === at ? markup` aria-current="page"` : ""}>${name}</a>`
  );
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title} · ${basename(project)} · Grid</title>
<style nonce="${nonce}">${trusted(STYLE)}</style>
</head>
<body data-now="${now}"${live === undefined ? "" : markup` data-live="${live}"`}>
<a class="skip" href="#main">to the content</a>
<header class="top"><div class="bar-in">
<span class="brand">Grid</span> <span class="project" title="${project}">${basename(project)}</span>
<nav aria-label="Pages">${links}</nav>
<span id="live" role="status"></span>
</div></header>
<main id="main" tabindex="-1">
${grown(main, now)}
</main>
<script nonce="${nonce}">${trusted(SCRIPT)}</script>
</body>
</html>
`;
}

/** One button that does something. */
export function actionForm(
  frame: Pick<Frame, "formToken">,
  { path, label, kind = "" }: {
    readonly path: string;
    readonly label: string;
    readonly kind?: "bad" | "";
  },
): Markup {
  return markup`
    <form method="post"
      action="${path}"><input type="hidden" name="form" value="${frame.formToken}"><button class="${kind}">${label}</button></form>
  `;
}

/** A moment, by the clock of the machine that serves. */
export function timeWords(ms: number): Markup {
  const iso = new Date(ms).toISOString();
  return markup`<time datetime="${iso}" title="${iso}">${STAMP.format(ms)}</time>`;
}

/** `2026-01-31 12:00:05`: sorts as it reads. */
const STAMP = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

/** `4s`, `3m`, `2h`, `5d`: the largest unit alone is what a glance wants. */
export function ageWords(ms: number): string {
  if (ms < 1000) return "now";
  const [unit, size] = AGES.find(([, size]) => ms >= size) ?? ["s", 1000];
  return `${Math.floor(ms / size)}${unit}`;
}

const AGES = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000]] as const;

/** A length that grows while one looks; the browser counts, so that it is no news all the time. */
export function growing(sinceMs: number): Markup {
  return markup`<span class="tick" data-since="${sinceMs}"></span>`;
}

/** Without a script the lengths are those of when the page was made. */
function grown({ text }: Markup, now: number): Markup {
  return trusted(text.replaceAll(
    /(<span class="tick" data-since="(\d+)">)<\/span>/g,
    (_, opening, since) => `${opening}${lasting(now - Number(since))}</span>`,
  ));
}

/** As the script says it: whole seconds. */
function lasting(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000);
}

export function runPath(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}

export function logPath(run: string, step: string): string {
  return `${runPath(run)}/logs/${encodeURIComponent(wholeText(step))}`;
}

/** Of a name that holds half a character, which an address cannot: what stands for it there. */
export function wholeText(name: string): string {
  return name.toWellFormed();
}

/** @param file below the folder of the run */
export function filePath(run: string, file: string): string {
  const parts = wholeText(file).split("/").map(encodeURIComponent);
  return `/files/${encodeURIComponent(run)}/${parts.join("/")}`;
}
