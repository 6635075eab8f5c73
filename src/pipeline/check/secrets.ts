import { isJsonPath } from "../../core/json_path.ts";
import { suggest } from "../../document/shape/check.ts";
import type { SecretSource } from "../pipeline.ts";
import type { PipelineFile } from "../schema.ts";
import type { TextReader } from "../../expression/reader.ts";

/** Names that a step finds set by Grid itself. */
const TAKEN = /^GRID_(RUN_ID|STEP|ATTEMPT|NODE|OUTPUT|TASK)$/;

/** The declared secrets: a list of environment variables, or a map of sources. */
export function readSecrets(file: PipelineFile, reader: TextReader): SecretSource[] {
  const { secrets } = file;
  if (secrets === undefined) return [];
  if (Array.isArray(secrets)) {
    const unique = new Set<string>();
    for (const [index, name] of secrets.entries()) {
      const spot = reader.source.valueSpot(secrets, index);
      if (unique.has(name)) {
        reader.report({
          rule: "duplicate-secret",
          spot,
          message: `secret ${name} is listed twice`,
        });
      }
      if (TAKEN.test(name)) {
        reader.report({ rule: "taken-name", spot, message: `${name} is set by Grid itself` });
      }
      unique.add(name);
    }
    return [...unique].map((name) => ({ name, from: "env", variable: name }));
  }
  return Object.entries(secrets).map(([name, source]): SecretSource => {
    const mask = source.mask && { mask: readMask(source.mask, reader) };
    switch (source.from) {
      case "env":
        return { name, from: "env", variable: source.variable ?? name, ...mask };
      case "file":
        return { name, from: "file", path: source.path, ...mask };
      case "command":
        return { name, from: "command", run: source.run, ...mask };
    }
  });
}

function readMask(paths: readonly string[], reader: TextReader): readonly string[] {
  for (const [index, path] of paths.entries()) {
    if (isJsonPath(path)) continue;
    reader.report({
      rule: "mask-path",
      spot: reader.source.valueSpot(paths, index),
      message: `"${path}" is no path into JSON`,
      hint: "such as .private_key, .keys[0].secret or .; what is in it is masked",
    });
  }
  return paths;
}

/** Reports variables that Grid sets itself. */
export function checkTaken(env: object | undefined, reader: TextReader): void {
  if (env === undefined) return;
  for (const name of Object.keys(env).filter((name) => TAKEN.test(name))) {
    const spot = reader.source.keySpot(env, name);
    reader.report({
      rule: "taken-name",
      spot,
      message: `${name} is set by Grid itself`,
      hint: "choose another name",
    });
  }
}

/** The hint for a secret that nothing declares. */
export function unknownSecretHint(name: string, known: readonly string[]): string {
  return known.length === 0
    ? `declare it at the top: secrets: [${name}]`
    : suggest(name, known, "secrets");
}
