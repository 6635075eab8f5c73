/** The Deno binary of a platform, from npm, checked against what `runtimes.json` pins. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import RUNTIMES from "./runtimes.json" with { type: "json" };

export type Platform = keyof typeof RUNTIMES.platforms;

export const DENO_VERSION: string = RUNTIMES.version;
export const PLATFORMS = Object.keys(RUNTIMES.platforms) as Platform[];

/** The npm package that holds the binary. */
export function packageOf(platform: Platform): string {
  return RUNTIMES.platforms[platform].package;
}

/** Path of the binary, unpacked below `scratch`. */
export async function fetchRuntime(platform: Platform, scratch: string): Promise<string> {
  const { package: name, integrity } = RUNTIMES.platforms[platform];
  const folder = join(scratch, platform);
  Deno.mkdirSync(folder, { recursive: true });
  const packed = await output("npm", ["pack", "--silent", `${name}@${DENO_VERSION}`], folder);
  const tarball = join(folder, packed.trim());
  const bytes = Deno.readFileSync(tarball);
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity) {
    throw new Error(`${name}@${DENO_VERSION} is not what runtimes.json pins: ${found}`);
  }
  await output("tar", ["-xzf", tarball, "package/deno"], folder);
  return join(folder, "package", "deno");
}

async function output(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
