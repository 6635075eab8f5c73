/** Putting Grid together on a node, by the real program in a real shell. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { archiveOf } from "../../../src/cli/submitted/archive.ts";
import { ownSystem } from "../../../src/cli/submitted/runtime_source.ts";
import { nodePrelude, nodeProgram } from "../../../src/transport/node_program.ts";
import { tempDir } from "../../support/temp_dir.ts";

const PROGRAM = new URL("../../../src/cli/submitted/runtime.ts", import.meta.url).href;

Deno.test("what was being put together when its maker was killed goes with the next one", async () => {
  using folder = tempDir();
  const root = join(folder.path, "root");
  const base = join(root, ".grid", "runtime");
  const code = join(folder.path, "code");
  Deno.mkdirSync(code);
  Deno.mkdirSync(base, { recursive: true, mode: 0o700 });
  const host = Deno.build.os === "linux" ? hostname() : "-";
  const gone = await endedProcess();
  const half = (name: string) => {
    Deno.mkdirSync(join(base, name, "code", "closed"), { recursive: true });
    Deno.writeTextFileSync(join(base, name, "code", "closed", "file"), "half");
    Deno.chmodSync(join(base, name, "code", "closed"), 0o500);
    return name;
  };
  const left = half(`0123abcd.${host}.${gone}.rnd.1`);
  const kept = [
    half(`0123abcd.${host}.${Deno.pid}.rnd.1`),
    half(`0123abcd.elsewhere.${gone}.rnd.1`),
    half(`4567.${host}.${gone}.rnd.1`),
    half("something-else"),
  ];
  // One that is whole.
  Deno.writeTextFileSync(join(base, "4567"), `${kept[2]}\n`);

  const made = await putTogether(root, { id: "89ef", code });
  assert.ok(existsSync(join(made, "grid")), made);
  assert.ok(!existsSync(join(base, left)));
  for (const name of kept) assert.ok(existsSync(join(base, name)), name);
});

/** A process number that nobody has any more. */
async function endedProcess(): Promise<number> {
  const child = new Deno.Command("true").spawn();
  await child.status;
  return child.pid;
}

/** @returns the folder that was made */
async function putTogether(
  root: string,
  { id, code }: { readonly id: string; readonly code: string },
): Promise<string> {
  const archive = archiveOf({ grid: "#!/bin/sh\n" });
  const parts = [Deno.execPath(), code, "-", "registry", String(archive.length)];
  const words = ["marker", root, id, ownSystem().system, "-", ...parts];
  const child = new Deno.Command("sh", {
    args: ["-c", `${nodePrelude()}\n${nodeProgram("runtime.sh", PROGRAM)}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`${words.join("\n")}\n`));
  await input.write(archive);
  await input.close();
  const { stdout } = await child.output();
  return /^have (.+)$/m.exec(new TextDecoder().decode(stdout))?.[1] ?? "";
}
