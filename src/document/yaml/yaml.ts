/**
 * The one door to the YAML parser. The package hands Deno its CommonJS build, whose loading takes
 * longer than everything else in `grid validate`; the same code as ES modules lies beside it.
 */
import type * as Yaml from "yaml";

const esModules = new URL("../browser/index.js", import.meta.resolve("yaml"));

export const { Lexer, parseDocument, isAlias, isMap, isScalar, isSeq }: typeof Yaml = await import(
  esModules.href
);
