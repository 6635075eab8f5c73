/** What a browser lets the page do: its own looks and script, by their digests, and nothing else. */
import { GRAPH_STYLE } from "./graph/svg_style.ts";
import { SCRIPT } from "./html_script.ts";
import { STYLE } from "./html_style.ts";

let known: Promise<string> | undefined;

/** https://www.w3.org/TR/CSP3/ */
export function contentPolicy(): Promise<string> {
  return known ??= makePolicy();
}

async function makePolicy(): Promise<string> {
  const [script, style, graph] = await Promise.all([SCRIPT, STYLE, GRAPH_STYLE].map(sourceOf));
  return [
    "default-src 'none'",
    `script-src ${script}`,
    `style-src ${style} ${graph}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

async function sourceOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(digest).toBase64()}'`;
}
