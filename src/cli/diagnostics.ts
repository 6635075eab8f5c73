import { lazy } from "../core/lazy.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import type { CliContext } from "./context.ts";
import type { Settings } from "./settings.ts";
import { fromRepository } from "./repository_paths.ts";
import { VERSION } from "../core/version.ts";

export interface ShowOptions {
  /** `text`, `json`, `github` or `sarif`. */
  readonly format: string;
  readonly color: Settings["color"];
  readonly context: CliContext;
}

/** Text is for people and goes to stderr; every other form is data and goes to stdout. */
export async function showDiagnostics(
  diagnostics: readonly Diagnostic[],
  { format, color, context }: ShowOptions,
): Promise<void> {
  switch (format) {
    case "json": {
      const { diagnosticsDocument } = await lazy<typeof import("../terminal/diagnostics/json.ts")>(
        "../terminal/diagnostics/json.ts",
        import.meta.url,
      );
      return context.stdout(JSON.stringify(diagnosticsDocument(diagnostics), null, 2) + "\n");
    }
    case "sarif": {
      const { sarifDocument } = await lazy<typeof import("../terminal/diagnostics/sarif.ts")>(
        "../terminal/diagnostics/sarif.ts",
        import.meta.url,
      );
      const document = sarifDocument(fromRepository(diagnostics, context), {
        gridVersion: VERSION,
      });
      return context.stdout(JSON.stringify(document, null, 2) + "\n");
    }
    case "github": {
      const { renderGithubDiagnostics } = await lazy<
        typeof import("../terminal/diagnostics/github.ts")
      >("../terminal/diagnostics/github.ts", import.meta.url);
      return context.stdout(renderGithubDiagnostics(fromRepository(diagnostics, context)));
    }
    default: {
      const { renderDiagnostics } = await lazy<typeof import("../terminal/diagnostics/text.ts")>(
        "../terminal/diagnostics/text.ts",
        import.meta.url,
      );
      const columns = context.columns("stderr");
      // Not the mistakes are cut but the lines that they stand in.
      const width = Number.isFinite(columns) ? columns : 80;
      return context.stderr(renderDiagnostics(diagnostics, { color: color.stderr, width }));
    }
  }
}
