/** What `ssh` does on its way to a node, beside what Grid does, as findings. */
import type { GridError } from "../core/errors.ts";
import type { SshTrial } from "../transport/openssh/ssh_trial.ts";
import type { LoginPlan } from "../transport/ssh/login_plan.ts";
import { bad, type Finding, note, ok } from "./doctor_findings.ts";

export interface LoginExamined {
  readonly name: string;
  readonly plan: LoginPlan;
  /** Undefined where this machine has no `ssh`. */
  readonly trial: SshTrial | undefined;
  /** Undefined where Grid got in. */
  readonly problem: GridError | undefined;
}

export function loginFindings(examined: LoginExamined): readonly Finding[] {
  const { plan, trial, problem } = examined;
  return [
    addressFinding(examined),
    ...keyFindings(examined),
    ...plan.problems.map(({ state, hint }) => note("keys", state, hint)),
    ...(plan.beyond.length > 0
      ? [note("login", `left to your own ssh: ${plan.beyond.join(", ")}`)]
      : []),
    loginFinding(examined),
    ...(trial === undefined ? [] : noiseFindings(trial, problem)),
  ];
}

function addressFinding({ plan, trial }: LoginExamined): Finding {
  const { user, host, port, addresses, jumps } = plan;
  const via = jumps.length > 0 ? ` via ${jumps.join(", ")}` : "";
  const where = `${user}@${host} port ${port}${via}`;
  if (addresses.length === 0 && jumps.length === 0) {
    return bad("address", `${where}: the name has no address here`, `getent hosts ${host}`);
  }
  const tried = trial?.addresses ?? [];
  const own = addresses.length > 0 ? ` (${addresses.join(", ")})` : "";
  return ok(
    "address",
    `${where}${own}${tried.length > 0 ? `; ssh tried ${tried.join(", ")}` : ""}`,
  );
}

function keyFindings({ plan, trial }: LoginExamined): Finding[] {
  const own = plan.offered.length === 0 ? "none" : plan.offered.join(", ");
  const taken = trial?.accepted === undefined ? "" : `; taken: ${printOf(trial.accepted)}`;
  const isAlike = trial !== undefined &&
    trial.offered.map(printOf).join() === plan.offered.map(printOf).join();
  const words = isAlike && plan.offered.length > 0
    ? `Grid and ssh offer ${own}${taken}`
    : `Grid offers ${own}${trial === undefined ? "" : `; ssh: ${offers(trial)}`}${taken}`;
  return [
    plan.offered.length === 0 && trial?.isIn !== true ? note("keys", words) : ok("keys", words),
  ];
}

function offers({ offered }: SshTrial): string {
  return offered.length === 0 ? "none" : offered.join(", ");
}

/** The fingerprint alone: Grid and ssh name keys in different words. */
function printOf(words: string): string {
  return /SHA256:[A-Za-z0-9+/]+/.exec(words)?.[0] ?? words;
}

function loginFinding({ name, trial, problem }: LoginExamined): Finding {
  const factors = trial?.factors === undefined ? "" : `; the server asks for ${trial.factors}`;
  if (problem === undefined) {
    if (trial === undefined) return ok("login", "Grid gets in; there is no ssh here to compare");
    if (trial.isIn) return ok("login", `Grid and ssh get in${factors}`);
    return note("login", `Grid gets in, ssh does not: ${trial.lastWords ?? "it said nothing"}`);
  }
  const state = problem.message.replace(/^Cannot .*?: /s, "");
  // Another way in would change nothing about that.
  if (trial?.isIn && (problem.code === "shell" || !trial.ran)) {
    const words = `Grid and ssh get in, but there is no shell for Grid: ${state}`;
    return bad("login", words, problem.hint ?? `ssh -vv ${name}`);
  }
  if (trial?.isIn) {
    const words = `ssh gets in, Grid does not: ${state}`;
    const way = "or let your own ssh do it: transport: openssh for this node";
    return bad("login", words, problem.hint === undefined ? way : `${problem.hint}; ${way}`);
  }
  const said = trial?.lastWords === undefined ? "" : `; ssh says: ${trial.lastWords}`;
  return bad("login", `${state}${said}${factors}`, problem.hint ?? `ssh -vv ${name}`);
}

const QUIET = "let start-up files print for people only: case $- in *i*) … ;; esac";

function noiseFindings(
  { isIn, ran, noise }: SshTrial,
  problem: GridError | undefined,
): Finding[] {
  // What said why it ended, or ended the connection with it, is no start-up file that waits or leaves.
  const isTold = problem !== undefined &&
    (problem.code !== "shell" || / ended [^:]*\([^)]+\): ./.test(problem.message));
  if (!isIn || (!ran && isTold)) return [];
  if (!ran) {
    return [
      bad(
        "startup",
        "a start-up file, or a login shell such as /bin/false, keeps commands from being run",
        `${QUIET}, and no exec`,
      ),
    ];
  }
  const line = noise.split("\n").find((line) => line.trim() !== "")?.trim();
  return line === undefined
    ? [ok("startup", "start-up files print nothing")]
    : [note("startup", `start-up files print: ${JSON.stringify(line)}; Grid drops it`, QUIET)];
}
