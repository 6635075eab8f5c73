/** What a node's facts mean, each with its repair: pure, so that every rule can be tested without a node. */
import { claimsProblem } from "./claims_fit.ts";
import { engineRepair } from "./engine_repairs.ts";
import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import type { RayConfig } from "./config.ts";
import type { DoctorFacts } from "./doctor.ts";
import type { NodeHealth } from "./node.ts";

export interface Finding {
  /** What was looked at: one word. */
  readonly about: string;
  /** `bad` wants a repair; a `note` is worth knowing. */
  readonly level: "ok" | "note" | "bad";
  readonly words: string;
  readonly repair: string | undefined;
}

export function ok(about: string, words: string): Finding {
  return { about, level: "ok", words, repair: undefined };
}

export function bad(about: string, words: string, repair?: string): Finding {
  return { about, level: "bad", words, repair };
}

export function note(about: string, words: string, repair?: string): Finding {
  return { about, level: "note", words, repair };
}

export interface Examined {
  readonly facts: DoctorFacts;
  readonly health: NodeHealth | undefined;
  readonly ray: Pick<RayConfig, "mode" | "version" | "isAsked">;
}

export function nodeFindings(examined: Examined): readonly Finding[] {
  const { facts, health } = examined;
  return [
    ...startupFindings(facts),
    ...toolFindings(facts),
    pythonFinding(facts),
    ...foundFindings(facts),
    ...workspaceFindings(facts),
    clockFinding(facts),
    claimFinding(facts),
    ...deviceFindings(health),
    ...environmentFindings(examined),
    ...lingerFindings(facts),
  ];
}

function startupFindings(facts: DoctorFacts): Finding[] {
  const shell = facts.first("shell") ?? "unknown";
  const lines = facts.all("startup-exec");
  if (lines.length === 0) return [ok("shell", shell)];
  return lines.map((line) =>
    note(
      "shell",
      `a start-up file replaces or ends the shell: ${line}`,
      "let it do so for people only: case $- in *i*) … ;; esac around that line",
    )
  );
}

/** Without these some of what Grid does there is not possible, by their packages; the rest has ways around it. */
const NEEDED: Readonly<Record<string, string>> = {
  ...{ tar: "tar", env: "coreutils", head: "coreutils", tail: "coreutils", stat: "coreutils" },
  ...{ mkfifo: "coreutils", awk: "mawk", sed: "sed", grep: "grep" },
  ...{ find: "findutils", xargs: "findutils" },
};

function toolFindings(facts: DoctorFacts): Finding[] {
  const missing = facts.all("missing");
  const needed = missing.filter((tool) => Object.hasOwn(NEEDED, tool));
  if (needed.length > 0) {
    const packages = [...new Set(needed.map((tool) => NEEDED[tool]))].join(" ");
    return [bad("tools", `missing: ${needed.join(", ")}`, `sudo apt install ${packages}`)];
  }
  return missing.length === 0
    ? [ok("tools", "all there")]
    : [note("tools", `missing, and done without: ${missing.join(", ")}`)];
}

function pythonFinding(facts: DoctorFacts): Finding {
  const python = facts.first("python");
  if (python === undefined) {
    return note("python", "there is no python3", "sudo apt install python3 python3-venv");
  }
  const [, major, minor] = /(\d+)\.(\d+)\.\S*$/.exec(python) ?? [];
  if (Number(major) < 3 || (Number(major) === 3 && Number(minor) < 9)) {
    return bad("python", `${python} is older than 3.9`, "install Python 3.9 or newer there, or uv");
  }
  if (facts.first("no-venv") !== undefined && facts.first("uv") === undefined) {
    return bad("python", `${python} makes no environments`, "sudo apt install python3-venv");
  }
  return ok("python", python);
}

/** What is there to be used by steps. */
function foundFindings(facts: DoctorFacts): Finding[] {
  const found = ["uv", "conda", "modules"].flatMap((what) => {
    const place = facts.first(what);
    return place === undefined ? [] : [ok(what, `${place}${howToUse(what, place)}`)];
  });
  const tools = facts.all("tool").map((line) => {
    const [name = "", ...place] = line.split(" ");
    return ok(name, place.join(" "));
  });
  return [...found, ...tools, ...facts.all("engine").map(engineFinding)];
}

function howToUse(what: string, place: string): string {
  switch (what) {
    case "conda":
      return `; for a step: before: [". ${
        place.replace(/\/(bin|condabin)\/\w+$/, "")
      }/bin/activate ENV"]`;
    case "modules":
      return `; for a step: before: [". ${place}", "module load NAME"]`;
    default:
      return "";
  }
}

function engineFinding(line: string): Finding {
  const [name = "", state, ...rest] = line.split(" ");
  const words = rest.join(" ");
  if (state === "ok") return ok(name, `${words}, usable by this account`);
  const repair = engineRepair(words);
  return note(
    name,
    `there, but not usable by this account: ${words || "it does not answer"}`,
    repair,
  );
}

const LITTLE_BYTES = 2 * 2 ** 30;
const LITTLE_INODES = 10_000;

function workspaceFindings(facts: DoctorFacts): Finding[] {
  const [mode, owner] = facts.first("workspace")?.split(" ") ?? [];
  const findings: Finding[] = mode === undefined ? [] : [ok("workspace", `${mode}, of ${owner}`)];
  const disk = numbers(facts.first("disk"));
  const free = disk === undefined ? undefined : 1024 * disk.free;
  if (free === undefined) findings.push(note("space", "df does not say how much is free"));
  else if (free < LITTLE_BYTES) {
    findings.push(bad("space", `${formatSize(free)} free`, "make room, or move remote_root"));
  } else findings.push(ok("space", `${formatSize(free)} free`));
  const inodes = numbers(facts.first("inodes"));
  // Some file systems make them as they go, and say 0 of 0.
  if (inodes !== undefined && inodes.total > 0 && inodes.free < LITTLE_INODES) {
    findings.push(bad("space", `${inodes.free} files can still be made`, "remove small files"));
  }
  const over = facts.first("quota");
  if (over !== undefined) {
    findings.push(bad("quota", `over its limit: ${over}`, "make room, or ask for more quota"));
  }
  return findings;
}

/** Columns found by their shape, because names of devices may hold blanks. */
function numbers(line: string | undefined) {
  const match = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s/.exec(line ?? "");
  return match === null ? undefined : { total: Number(match[1]), free: Number(match[3]) };
}

/** Dates of files, `--until` and certificates go wrong by this much. */
const MOST_SKEW_MS = 5000;

function clockFinding({ skewMs }: DoctorFacts): Finding {
  if (skewMs === undefined) return note("clock", "its date is not known");
  const words = `${formatDuration(Math.abs(skewMs))} ${
    skewMs < 0 ? "behind" : "ahead of"
  } this machine's`;
  if (Math.abs(skewMs) > MOST_SKEW_MS) {
    return bad("clock", words, "sudo timedatectl set-ntp true");
  }
  return ok("clock", skewMs === 0 ? "as this machine's" : words);
}

function claimFinding(facts: DoctorFacts): Finding {
  const problem = claimsProblem(facts.first("claims-bad"));
  if (problem !== undefined) {
    const cure = problem.cure ?? "set GRID_LEASE_DIR to a folder that all accounts may write to";
    return bad("claims", problem.words, cure);
  }
  const [base, own] = facts.first("claims-private")?.split(" ") ?? [];
  if (own !== undefined) {
    const words =
      `${base} is this account's alone (${own}): it and others do not see each other's claims`;
    const repair =
      "where accounts share GPUs: GRID_LEASE_DIR in /etc/environment, one folder for all of mode 1777";
    return note("claims", words, repair);
  }
  if (facts.first("hidden-processes") !== undefined) {
    const words = "processes of other accounts are hidden, so their claims are believed longer";
    return note("claims", words, "mount /proc without hidepid, or with gid= of your group");
  }
  return ok("claims", "can be made, and others' be read");
}

function deviceFindings(health: NodeHealth | undefined): Finding[] {
  const { facts, remarks = [], gpuGroups = [] } = health ?? {};
  if (facts === undefined) return [];
  // Claims have a finding of their own.
  const ofCards = remarks.filter(({ words }) => words !== facts?.claimsProblem?.words);
  const wrong = ofCards.map(({ words, cure }) => bad("gpus", words, cure));
  if (wrong.length > 0) return wrong;
  const words = gpuGroups.map(({ total, model }) => `${total}× ${model}`).join(", ") || "none";
  return [ok("gpus", facts.gpuTool === "none" ? words : `${words}, by ${facts.gpuTool}`)];
}

function environmentFindings({ facts, ray }: Examined): Finding[] {
  const found = facts.first("environment");
  const isWanted = ray.mode === "managed";
  const repair = "grid setup";
  if (found === undefined) {
    if (!isWanted) return [];
    // Unless somebody has decided for it, Ray is nothing that a node must have.
    return ray.isAsked === true
      ? [bad("ray", "there is no grid_env yet", repair)]
      : [note("ray", "not there; steps with ray-batch want it", repair)];
  }
  const [python, version = "-"] = found.split(" ");
  if (found === "broken" || !/^\d/.test(python ?? "")) {
    return [bad("environment", "grid_env does not run", "grid setup --again")];
  }
  const environment = ok("environment", `grid_env with Python ${python}`);
  if (!isWanted) return [environment];
  if (version === "-") return [environment, bad("ray", "grid_env holds no Ray", repair)];
  if (ray.version !== undefined && ray.version !== version) {
    return [environment, bad("ray", `${version}, not ${ray.version}`, repair)];
  }
  return [environment, ok("ray", version)];
}

function lingerFindings(facts: DoctorFacts): Finding[] {
  const linger = facts.first("kills-left");
  if (linger === undefined) return [ok("lingering", "jobs outlive their logins")];
  if (linger === "yes") return [ok("lingering", "on for this account")];
  const words = "systemd ends what an account left running when its last login ends";
  return [bad("lingering", words, `sudo loginctl enable-linger ${facts.first("account")}`)];
}
