/**
 * The one door to the YAML parser. The package hands Deno its CommonJS build, whose loading takes
 * longer than everything else in `grid validate`; the same code as ES modules lies beside it. Where
 * the package lies is known of a file that is really imported, whoever's project this is used from.
 */
import type * as Yaml from "npm:yaml@2.9.1";
import "npm:yaml@2.9.1/package.json" with { type: "json" };

export type { Document, Node, Pair, Scalar, YAMLError } from "npm:yaml@2.9.1";

const esModules = new URL(
  "browser/index.js",
  import.meta.resolve("npm:yaml@2.9.1/package.json"),
);

export const { Lexer, parseDocument, isAlias, isMap, isScalar, isSeq }: typeof Yaml = await import(
  esModules.href
);
