/** By whose clock the cron of this machine goes. */
import { readFileSync, readlinkSync } from "node:fs";
import { isTimeZone, ownTimeZone } from "../schedule/cron.ts";
import type { CronFacts } from "./schedule_units.ts";

export async function cronFacts(): Promise<CronFacts> {
  return { zone: machineZone(), knowsZones: await isCronie() };
}

/** Not that of our environment, which cron does not have. */
function machineZone(): string {
  const linked = read(() => readlinkSync("/etc/localtime"))?.replace(/^.*\/zoneinfo\//, "");
  const written = linked ?? read(() => readFileSync("/etc/timezone", "utf8").trim());
  return written !== undefined && isTimeZone(written) ? written : ownTimeZone();
}

function read(work: () => string): string | undefined {
  try {
    return work();
  } catch {
    return undefined; // not there on this system
  }
}

/** https://github.com/cronie-crond/cronie: `crontab -V` names it; Debian's does not know the option. */
async function isCronie(): Promise<boolean> {
  try {
    const { stdout, stderr } = await new Deno.Command("crontab", { args: ["-V"], stdin: "null" })
      .output();
    const decoder = new TextDecoder();
    return /cronie/.test(decoder.decode(stdout) + decoder.decode(stderr));
  } catch {
    return false; // no crontab here
  }
}
