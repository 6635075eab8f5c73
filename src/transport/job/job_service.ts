/** Services on a node: jobs that are meant to stay, whether their runner does or not. */
import { GridError } from "../../core/errors.ts";
import { quoteAll } from "../../core/shell.ts";
import type { Transport } from "../transport.ts";
import { clockShifts } from "./job_birth.ts";
import { jobLibrary, jobProgram } from "./job_script.ts";
import { type JobState, parseState } from "./job_state.ts";

/** What a runner leaves on the node about a service of its own. */
export interface ServiceNote {
  readonly run: string;
  readonly pipeline: string;
  readonly step: string;
  /** Undefined for one that does not listen. */
  readonly port?: number | undefined;
  readonly life: "run" | "until-stopped" | "time";
  /** When the node ends it, in ms since the epoch. */
  readonly untilMs?: number | undefined;
  /** Between the polite signal and the final one. */
  readonly graceMs: number;
  /** Where others reach it; known once it is ready. */
  readonly address?: string | undefined;
  readonly ready: boolean;
}

export interface ServiceListing extends ServiceNote {
  readonly job: string;
  readonly state: JobState["kind"];
  /** By this machine's clock. */
  readonly startedAt: number;
  /** What it holds, by UUID where there is one. */
  readonly gpus: readonly string[];
}

export type Listening =
  | { readonly kind: "none" | "loopback" | "unknown" }
  | { readonly kind: "any"; readonly address: string | undefined };

export type PortState =
  | { readonly kind: "free"; readonly port: number }
  /** By whom, where that can be seen. */
  | { readonly kind: "taken"; readonly pid: number | undefined; readonly command: string };

/**
 * The account's services on the node, also those that have ended and whose files are still there.
 *
 * @param root absolute `remote_root`
 * @throws {GridError} a transport code
 */
export async function listServices(
  transport: Transport,
  root: string,
  { job = "" }: { readonly job?: string } = {},
): Promise<readonly ServiceListing[]> {
  const stdout = await call(transport, ["grid_services", root, job]);
  const shiftOf = clockShifts(stdout);
  return stdout.split("\n").flatMap((line) => parseLine(line, transport.endpoint.name) ?? [])
    .map((service) => shifted(service, shiftOf({ ...service, id: service.job })))
    .sort((a, b) => a.startedAt - b.startedAt);
}

/** Both times are by the clock of whoever started it. */
function shifted(service: ServiceListing, shift: number): ServiceListing {
  const { startedAt, untilMs } = service;
  return {
    ...service,
    startedAt: startedAt + shift,
    untilMs: untilMs === undefined ? undefined : untilMs + shift,
  };
}

/** A port for a service: the wanted one where nobody listens there, or for `auto` a free one. */
export async function findPort(transport: Transport, wish: number | "auto"): Promise<PortState> {
  const line = (await call(transport, ["grid_port", String(wish)])).trim();
  const [, state, port, pid, command = ""] = /^(free|taken) (\d{1,5}|auto)(?: (\d+|-) (.*))?$/
    .exec(line) ?? [];
  if (state === "free") return { kind: "free", port: Number(port) };
  if (state === "taken") {
    return { kind: "taken", pid: pid === "-" ? undefined : Number(pid), command: command.trim() };
  }
  throw unreadable(transport, line);
}

/** Who reaches what listens on the port. */
export async function whoListens(transport: Transport, port: number): Promise<Listening> {
  const line = (await call(transport, ["grid_serving", String(port)])).trim();
  const [kind, address] = line.split(" ");
  if (kind === "none" || kind === "loopback" || kind === "unknown") return { kind };
  if (kind !== "any") throw unreadable(transport, line);
  return { kind, address: /^[\d.]{7,15}$/.test(address ?? "") ? address : undefined };
}

async function call(transport: Transport, words: readonly string[]): Promise<string> {
  const [name = "", ...args] = words;
  const { stdout } = await transport.exec(
    `${jobProgram("job_service.sh")}\n${name} ${quoteAll(args)}`,
    { library: jobLibrary() },
  );
  return stdout;
}

const LISTED =
  /^([A-Za-z0-9_][A-Za-z0-9._-]{0,254})\t([a-z][^\t]{0,200})\t(\d{1,16})\t([^\t]{1,2000})\t(\{.*\})\s*$/;

/** Undefined for what is no service of ours, such as one whose file holds something else. */
function parseLine(line: string, node: string): ServiceListing | undefined {
  const match = LISTED.exec(line);
  if (match === null) return undefined;
  const [, job = "", state = "", started, gpus = "-", json = ""] = match;
  const note = parseNote(json);
  if (note === undefined) return undefined;
  return {
    ...note,
    job,
    state: parseState(state, { node, job }).kind,
    startedAt: Number(started),
    gpus: gpus === "-" ? [] : gpus.split(","),
  };
}

/** Other versions of Grid may say more. */
function parseNote(json: string): ServiceNote | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { run, pipeline, step, port, life, untilMs, graceMs, address, ready } = value;
  if (typeof run !== "string" || typeof step !== "string") return undefined;
  const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;
  const isTime = typeof untilMs === "number" && Math.abs(untilMs) < 8.64e15;
  return {
    run,
    step,
    pipeline: typeof pipeline === "string" ? pipeline : "",
    port: isPort ? port : undefined,
    life: life === "run" || life === "time" ? life : "until-stopped",
    untilMs: isTime ? untilMs : undefined,
    graceMs: typeof graceMs === "number" && graceMs >= 0 && graceMs < 86_400_000 ? graceMs : 10_000,
    address: typeof address === "string" ? address : undefined,
    ready: ready === true,
  };
}

function unreadable(transport: Transport, line: string): GridError {
  const { name } = transport.endpoint;
  return new GridError({
    code: "answer-invalid",
    message: `Cannot read what "${name}" says about its ports: ${
      JSON.stringify(line.slice(0, 200))
    }`,
    hint: `something else answers there; look by hand: ssh ${name}`,
    node: name,
  });
}
