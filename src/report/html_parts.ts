/** Small pieces of markup that several sections of the page are made of. */
import { anchorAt } from "./anchor.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument } from "./run_document.ts";

export interface HtmlTable {
  readonly heads?: readonly string[];
  /** Text, not markup. */
  readonly rows: readonly (readonly string[])[];
  readonly name: string;
}

export function table({ heads = [], rows, name }: HtmlTable): string {
  if (rows.length === 0) return "";
  const cells = heads.map((title) => `<th scope="col">${text(title)}</th>`).join("");
  const head = heads.length === 0 ? "" : `<thead><tr>${cells}</tr></thead>`;
  const body = rows.map(([first = "", ...rest]) =>
    `<tr><th scope="row">${text(first)}</th>${
      rest.map((cell) => `<td>${text(cell)}</td>`).join("")
    }</tr>`
  );
  return `<table class="${name}">${head}<tbody>\n${body.join("\n")}\n</tbody></table>`;
}

/** A table that may be wider than a phone: it scrolls on its own, by keys, too. */
export function wide(label: string, inner: string): string {
  return inner === ""
    ? ""
    : `<div class="wide" role="region" aria-label="${text(label)}" tabindex="0">${inner}</div>`;
}

export function list(items: readonly string[]): string {
  if (items.length === 0) return "";
  return `<ul>${items.map((item) => `<li>${text(item)}</li>`).join("")}</ul>`;
}

/** Empty where there is nothing in it. */
export function section(title: string, id: string, inner: string): string {
  return inner === ""
    ? ""
    : `<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${
      text(title)
    }</h2>\n${inner}\n</section>`;
}

const LONGEST_VALUE = 400;

export function shortened(value: string): string {
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
}

/** Where a step stands on the page: `s3` is the third of the run, whatever signs its id is made of. */
export type AnchorOf = (step: string) => string;

export function anchorsOf({ steps }: RunDocument): AnchorOf {
  const anchors = new Map(steps.map(({ id }, at) => [id, anchorAt(at)]));
  return (step) => anchors.get(step) ?? "steps";
}

export function stepLink(step: string, anchorOf: AnchorOf): string {
  return `<a href="#${anchorOf(step)}">${text(step)}</a>`;
}

/** Address of a file in the folder of the run. */
export function fileAddress(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
