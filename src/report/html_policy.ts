/** What a browser lets the page do: its own looks and script, by their digests, and nothing else. */
import { hash } from "node:crypto";
import { GRAPH_STYLE } from "./graph/svg_style.ts";
import { SCRIPT } from "./html_script.ts";
import { STYLE } from "./html_style.ts";

let known: string | undefined;

/** https://www.w3.org/TR/CSP3/ */
export function contentPolicy(): string {
  known ??= [
    "default-src 'none'",
    `script-src ${digestOf(SCRIPT)}`,
    `style-src ${digestOf(STYLE)} ${digestOf(GRAPH_STYLE)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return known;
}

function digestOf(text: string): string {
  return `'sha256-${hash("sha256", text, "base64")}'`;
}
