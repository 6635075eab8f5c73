/**
 * The vendor's own nvidia-smi, of drivers that Debian has, over a library of ours that fails as told.
 * `GRID_TEST_NVIDIA_SMI` names the folder that has `<version>/nvidia-smi`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeProgram } from "../program_file.ts";

/** By Debian's release: bookworm's 470 lies in bullseye, 550 in trixie. */
export const VERSIONS = ["470", "535", "550"] as const;

export function realNvidiaSmi(version: string): string | undefined {
  const folder = Deno.env.get("GRID_TEST_NVIDIA_SMI") ?? "/opt/grid-nvidia-smi";
  const path = join(folder, version, "nvidia-smi");
  return existsSync(path) ? path : undefined;
}

/** Puts the tool into `<home>/bin`, with its library; what fails is told by variables of the stand-in. */
export async function installNvidiaSmi(home: string, tool: string): Promise<void> {
  const source = await Deno.readTextFile(new URL("stand_in.c", import.meta.url));
  const names = new TextDecoder("latin1").decode(await Deno.readFile(tool))
    .match(/(?<=\0)nvml[A-Z][A-Za-z0-9_]*(?=\0)/g) ?? [];
  const missing = [...new Set(names)].filter((name) => !new RegExp(`\\b${name}\\(`).test(source));
  const stubs = missing.map((name) => `int ${name}(void) { return NOT_SUPPORTED; }\n`).join("");
  const file = join(home, "nvml.c");
  await Deno.writeTextFile(file, source + stubs);
  const library = join(home, "libnvidia-ml.so.1");
  const { success, stderr } = await new Deno.Command("cc", {
    args: ["-shared", "-fPIC", "-w", "-o", library, file],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  await Deno.mkdir(join(home, "bin"), { recursive: true });
  const script = `#!/bin/sh\nLD_LIBRARY_PATH=${home} exec ${tool} "$@"\n`;
  writeProgram(join(home, "bin", "nvidia-smi"), script);
}
