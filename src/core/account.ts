import { arch, hostname, release, type, userInfo } from "node:os";
import process from "node:process";

/** Of whoever runs this program. */
export function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without an entry, as in containers.
    return process.getuid ? `uid ${process.getuid()}` : "unknown";
  }
}

/** Who runs this program, on which machine, on what. */
export function whoRuns(): {
  readonly user: string;
  readonly host: string;
  readonly system: string;
} {
  const system = `${type()} ${release()} ${arch()}, Deno ${Deno.version.deno}`;
  return { user: accountName(), host: hostname() || "unknown", system };
}
