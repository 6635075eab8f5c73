/** What went wrong, in words. */
import type { GridError } from "../core/errors.ts";
import { type Frame, renderPage } from "./layout.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";

export function problemPage(
  frame: Frame,
  { message, hint }: Pick<GridError, "message" | "hint">,
): Markup {
  return renderPage(frame, {
    title: "Problem",
    main: markup`<h1>That did not work</h1>
<section class="failure" role="alert"><p>${message}</p>
${hint === undefined ? NOTHING : markup`<p class="hint">${hint}</p>`}</section>
<p><a href="/">all runs</a></p>`,
  });
}

/** For whoever may not look: nothing of the project is on it. */
export function refusalPage(
  { nonce }: Pick<Frame, "nonce">,
  { action, state, hint }: {
    readonly action: string;
    readonly state: string;
    readonly hint?: string;
  },
): Markup {
  return markup`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <title>Grid</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <style
          nonce="${nonce}">body { font: 16px/1.6 system-ui, sans-serif; max-width: 34em; margin: 15vh auto; padding: 0 1em; }</style>
      </head>
      <body>
        <main><h1>Grid</h1><p>Cannot ${action}: ${state}</p>
    ${hint === undefined ? NOTHING : markup`<p>${hint}</p>`}</main>
      </body>
    </html>
  `;
}
