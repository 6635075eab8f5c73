import { hostname, release, type, userInfo } from "node:os";

/** Of whoever runs this program. */
export function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without an entry, as in containers.
    const uid = Deno.uid();
    return uid === null ? "unknown" : `uid ${uid}`;
  }
}

/** As `node:os` names them, whose `arch()` would load `node:process` for it. */
const ARCH = { x86_64: "x64", aarch64: "arm64" } as const;

/** Who runs this program, on which machine, on what. */
export function whoRuns(): {
  readonly user: string;
  readonly host: string;
  readonly system: string;
} {
  const system = `${type()} ${release()} ${ARCH[Deno.build.arch]}, Deno ${Deno.version.deno}`;
  return { user: accountName(), host: hostname() || "unknown", system };
}
