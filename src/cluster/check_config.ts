/** Reads a cluster config and finds its mistakes. Loaded only for a file that was not found well before. */
import SHAPE from "../../config/cluster_config.schema.json" with { type: "json" };
import { lazy } from "../core/lazy.ts";
import { checkSource, diagnostic } from "../document/shape/check.ts";
import { type Diagnostic, DiagnosticsError } from "../document/diagnostic.ts";
import { type JsonShape, ShapeChecker } from "../document/shape/json_shape.ts";
import { readSource, type Source } from "../document/source.ts";
import type { KeyHint, UnknownKey } from "../document/shape/unknown_key.ts";
import { spellEnvironments } from "./environment_spelling.ts";
import { findMistakes } from "./mistakes.ts";
import type { RawCluster } from "./schema.ts";

export interface CheckedConfig {
  readonly value: RawCluster;
  /** Whether nothing at all was found, not even a warning. */
  readonly isWell: boolean;
}

/**
 * @param shown the file's name as the user would type it
 * @throws {DiagnosticsError} `cluster-invalid` with every mistake of the file
 */
export async function checkConfig(content: Uint8Array, shown: string): Promise<CheckedConfig> {
  const source = readSource(content, shown);
  if (source.value === null && source.isReadable) throw emptyFile(source);
  if (!source.isReadable) throw new DiagnosticsError("cluster-invalid", source.diagnostics);
  const checked = await checkShape(source);
  const found = [...checked.diagnostics];
  if (checked.value) {
    found.push(...findMistakes(checked.value, source));
    spellEnvironments(checked.value, source);
  }
  const diagnostics = [...source.diagnostics, ...source.withoutEchoes(found)];
  if (diagnostics.some(({ severity }) => severity === "error") || !checked.value) {
    throw new DiagnosticsError("cluster-invalid", diagnostics);
  }
  return { value: checked.value, isWell: diagnostics.length === 0 };
}

/** Keys of other tools, and what to write here. */
const FOREIGN_KEYS: Readonly<Record<string, string>> = {
  "hosts": "write nodes:",
  "hostname": "write host:",
  "address": "write host:",
  "ip": "write host:",
  "username": "write user:",
  "identity_file": "write key_file:",
  "identityfile": "write key_file:",
  "password": "Grid logs in with keys; see docs/ssh.md",
  "jump_host": "write proxy_jump:",
  "tags": "write labels:",
};

function foreignKey({ path }: UnknownKey): KeyHint | undefined {
  const hint = FOREIGN_KEYS[String(path.at(-1))];
  return hint === undefined ? undefined : { hint, meant: /^write (\w+):/.exec(hint)?.[1] };
}

interface CheckedShape {
  readonly value: RawCluster | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

function emptyFile(source: Source): DiagnosticsError {
  const message = "the cluster config is empty";
  const hint = "write the nodes, such as nodes: [gpu1, gpu2], or remove the file";
  return new DiagnosticsError("cluster-invalid", [
    diagnostic({ rule: "empty-file", spot: source.start, message, hint }),
  ]);
}

/** Only a file with a mistake needs the schema that can explain it. */
async function checkShape(source: Source): Promise<CheckedShape> {
  if (new ShapeChecker(SHAPE as unknown as JsonShape).fits(source.value)) {
    return { value: source.value as RawCluster, diagnostics: [] };
  }
  const { clusterSchema } = await lazy<typeof import("./schema.ts")>(
    "./schema.ts",
    import.meta.url,
  );
  return checkSource(source, clusterSchema, { words: { foreign: foreignKey } });
}
