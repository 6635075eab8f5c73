/** SARIF 2.1.0, for code scanning. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import type { Place } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";

export interface SarifOptions {
  readonly gridVersion: string;
}

export function sarifDocument(
  diagnostics: readonly Diagnostic[],
  options: SarifOptions,
): JsonValue {
  const rules = [...new Set(diagnostics.map(({ rule }) => rule))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "grid",
          semanticVersion: options.gridVersion,
          rules: rules.map((id) => ruleOf(id, diagnostics)),
        },
      },
      // Columns of places count UTF-16 units, as JavaScript does.
      columnKind: "utf16CodeUnits",
      results: diagnostics.map((diagnostic) => resultOf(diagnostic, rules)),
    }],
  };
}

/** GitHub wants every rule described; each is told by the first mistake against it. */
function ruleOf(id: string, diagnostics: readonly Diagnostic[]): JsonValue {
  const first = diagnostics.find(({ rule }) => rule === id);
  const words = id.replaceAll("-", " ");
  const title = words.charAt(0).toUpperCase() + words.slice(1);
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: `${title}, for example: ${first?.message ?? words}` },
    help: { text: first?.hint ?? "grid validate shows the line, and what to write instead" },
  };
}

function resultOf(diagnostic: Diagnostic, rules: readonly string[]): JsonValue {
  const { rule, severity, message, hint, place, length, sourceLine, usedAt = [] } = diagnostic;
  const region = {
    startLine: place.line,
    startColumn: place.column,
    endColumn: place.column + Math.max(1, length),
    snippet: { text: sourceLine },
  };
  return {
    ruleId: rule,
    ruleIndex: rules.indexOf(rule),
    level: severity,
    message: { text: hint === undefined ? message : `${message} (${hint})` },
    locations: [{ physicalLocation: { ...artifact(place), region } }],
    ...(usedAt.length > 0 && {
      relatedLocations: usedAt.map((used, id) => ({
        id,
        message: { text: "used here" },
        physicalLocation: {
          ...artifact(used),
          region: { startLine: used.line, startColumn: used.column },
        },
      })),
    }),
  };
}

/** A path as a relative URI reference, whatever characters it holds. */
function artifact({ file }: Place): { artifactLocation: { uri: string } } {
  const uri = file.split("/").map(encodeURIComponent).join("/");
  return { artifactLocation: { uri: file.startsWith("/") ? `file://${uri}` : uri } };
}
