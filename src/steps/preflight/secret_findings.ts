import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { SecretSource } from "../../pipeline/pipeline.ts";
import { exists } from "./file_findings.ts";
import { type Finding, obstacle, well } from "./finding.ts";

export interface SecretOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly project: string;
}

/** Commands are not run: they may ask their owner for a PIN. */
export async function secretFinding(
  secret: SecretSource,
  { env, project }: SecretOptions,
): Promise<Finding> {
  const about = `secret ${secret.name}`;
  const judge = (ok: boolean, good: string, bad: string) =>
    ok ? well(about, good) : obstacle(about, bad, "input-invalid");
  switch (secret.from) {
    case "env": {
      const { variable } = secret;
      return judge((env[variable] ?? "") !== "", `${variable} is set`, `${variable} is not set`);
    }
    case "file": {
      const { path } = secret;
      const isThere = await exists(resolve(project, path));
      return judge(isThere, `${path} is there`, `${path} does not exist`);
    }
    case "command": {
      const [program = ""] = secret.run;
      const isThere = await isProgram(program, { env, project });
      return judge(isThere, `will be asked of ${program}`, `there is no program ${program}`);
    }
  }
}

async function isProgram(name: string, { env, project }: SecretOptions): Promise<boolean> {
  const paths = name.includes("/")
    ? [resolve(project, name)]
    : (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder || ".", name));
  for (const path of paths) if (await isExecutable(path)) return true;
  return false;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return !(await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
