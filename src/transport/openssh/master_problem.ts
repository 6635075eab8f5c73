/** Why a connection did not come up: a class and one sentence, out of what `ssh` said. */
import { type ErrorCode, GridError } from "../../core/errors.ts";
import { secondFactorError, secondFactorHint } from "../ssh/auth_problem.ts";
import { slowHint } from "../ssh/login_time.ts";
import type { Endpoint } from "../transport.ts";
import { explainHostKey } from "./host_key_problem.ts";
import type { MasterLog, Phase } from "./master_log.ts";

interface Explanation {
  readonly code: ErrorCode;
  readonly state: string;
  readonly hint?: string | undefined;
}

/** Words of `ssh`, the most telling first. */
const EXPLANATIONS: readonly (readonly [RegExp, (found: RegExpExecArray) => Explanation])[] = [
  [/exec: (?:line \d+: )?ssh: /, () => ({
    code: "usage",
    state: "there is no ssh on this machine",
    hint: "install OpenSSH's client, or use transport: ssh, which needs none",
  })],
  [/No user exists for uid (\d+)/, ([, uid]) => ({
    code: "usage",
    state: `ssh does not run for uid ${uid}, which has no entry in the passwd database`,
    hint: "use transport: ssh, which needs none",
  })],
  [/Could not resolve hostname ([^\s:]+)/, ([, host]) => ({
    code: "dns",
    state: `the name ${host} is not known`,
    hint: "give the node a host in cluster_config.yaml, or a HostName in ~/.ssh/config",
  })],
  [/Not allowed at this time/, () => ({
    code: "penalty",
    state: "the server penalises this address (PerSourcePenalties)",
    hint: "the server turns new connections away for a while; try later, or lower ssh.pool_size",
  })],
  [/Exceeded MaxStartups/, () => ({
    code: "banner",
    state: "the server has too many logins under way (MaxStartups)",
  })],
  [/open failed: administratively prohibited/, () => ({
    code: "channel",
    state: "the jump host forbids forwarding",
    hint: "the jump host needs AllowTcpForwarding yes in its sshd_config",
  })],
  [/open failed: connect failed: (.*)/, ([, why]) => ({
    code: "tcp",
    state: `the jump host cannot reach it (${why})`,
  })],
  [/connect to host (\S+) port (\d+): (.*)/, ([, host, port, why]) => ({
    code: "tcp",
    state: `${host} port ${port} cannot be reached (${why})`,
  })],
  [/Unable to negotiate with .*: (no matching .*)/, ([, why]) => ({
    code: "algorithm",
    state: why ?? "no matching algorithm",
    hint: "ssh_config(5) tells how to allow more: KexAlgorithms, HostKeyAlgorithms, Ciphers, MACs",
  })],
  [/.*(?:Permission denied \(|Too many authentication failures).*/, ([line]) => ({
    code: "auth",
    state: line,
  })],
  [/(?:kex_exchange_identification|banner exchange).*?: (.*)/, ([, why]) => ({
    code: "banner",
    state: `there was no SSH banner (${why})`,
  })],
  [/.*(?:[Bb]ad configuration option|Bad owner or permissions| line \d+: ).*/, ([line]) => ({
    code: "usage",
    state: line,
    hint: "correct the configuration of ssh",
  })],
];

/** Where nothing was said that explains it. */
const BY_PHASE: Readonly<Record<Phase, { readonly code: ErrorCode; readonly late: string }>> = {
  tcp: { code: "tcp", late: "no answer to the connection" },
  banner: { code: "banner", late: "it accepted the connection, but sent no SSH banner" },
  kex: { code: "kex", late: "the key exchange did not end" },
  auth: { code: "auth", late: "the login did not end" },
  up: { code: "lost", late: "it did not answer" },
};

/** For `ssh` that ended by itself before it was up. */
export function explainEnd(log: MasterLog, endpoint: Endpoint): GridError {
  const hostKey = explainHostKey(log, endpoint);
  if (hostKey) return hostKey;
  if (log.killedBy !== undefined) {
    const state = killedWords(log.killedBy);
    return problem({ code: "lost", state, hint: KILLED_HINT }, { log, endpoint });
  }
  if (log.phase === "auth") return refusedLogin(log, endpoint);
  const last = log.words.at(-1) ?? "ssh ended without a word";
  return problem(explainWords(log) ?? { code: BY_PHASE[log.phase].code, state: last }, {
    log,
    endpoint,
  });
}

function killedWords(signal: Deno.Signal): string {
  return `ssh was killed on this machine by ${signal}`;
}

const KILLED_HINT = "look for who ends processes here: short memory, or a limit of the account";

/** For `ssh` that is still not up after the time that it was given. */
export function explainDelay(log: MasterLog, endpoint: Endpoint): GridError {
  const { code, late } = BY_PHASE[log.phase];
  const ms = endpoint.connectTimeoutMs;
  const hint = log.phase === "tcp" ? undefined : slowHint(ms);
  return problem({ code, state: `${late} within ${ms} ms`, hint }, { log, endpoint });
}

/** For `ssh` that ended after it was up. */
export function explainLoss(log: MasterLog, { name }: Endpoint): GridError {
  const said = log.words.findLast((line) => LOSS.test(line)) ??
    (log.killedBy === undefined ? "the connection was closed" : killedWords(log.killedBy));
  const state = said.replace(/^(?:client_loop|Timeout), ?(?:send disconnect: )?/, "");
  return new GridError({
    code: "lost",
    message: `Cannot go on with "${name}": the connection was lost (${state})`,
    node: name,
  });
}

const LOSS = /^(client_loop: |Timeout, server|Connection (to|closed|reset)|Received disconnect)/;

/** Cut off before anything began, as by MaxStartups: a later try may fare better. */
export function mayPass(log: MasterLog): boolean {
  const begun = log.phase === "banner" || log.phase === "kex";
  return begun &&
    log.words.some((line) =>
      /Exceeded MaxStartups|Connection (?:closed|reset) by|kex_exchange_identification: /.test(line)
    ) && !log.words.some((line) => /Not allowed at this time|Host key|Unable to neg/.test(line));
}

function explainWords({ words }: MasterLog): Explanation | undefined {
  for (const [pattern, explain] of EXPLANATIONS) {
    const found = words.map((line) => pattern.exec(line)).find((match) => match !== null);
    if (found) return explain(found);
  }
  return undefined;
}

function refusedLogin(log: MasterLog, endpoint: Endpoint): GridError {
  const { name } = endpoint;
  const user = log.target.user ?? endpoint.user ?? "you";
  if (log.words.some((line) => /with partial success/.test(line))) {
    return secondFactorError(
      { node: name, user },
      { accepted: log.accepted ? [log.accepted] : [], methods: log.methods },
    );
  }
  const offered = log.offered.length === 0
    ? "there is no key to offer"
    : `the server refused ${log.offered.join(", ")}`;
  const complaints = log.words.filter((line) => KEY_COMPLAINT.test(line));
  return new GridError({
    code: "auth",
    message: `Cannot log in to "${name}" as ${user}: ${[offered, ...complaints].join("; ")}`,
    hint: log.methods?.every((method) => method !== "publickey")
      ? secondFactorHint(name)
      : `look at it by hand: ssh -v ${name}; set ssh.key_file, or load a key: ssh-add`,
    node: name,
  });
}

/** What ssh has to say about keys that it cannot use. */
const KEY_COMPLAINT = /^Load key |^Permissions \d+ for|^sign_and_send_pubkey|no such identity/;

interface ProblemContext {
  readonly log: MasterLog;
  readonly endpoint: Endpoint;
}

function problem({ code, state, hint }: Explanation, { log, endpoint }: ProblemContext): GridError {
  const { name } = endpoint;
  const host = log.target.host ?? endpoint.host ?? name;
  const port = log.target.port ?? endpoint.port;
  const place = port === undefined ? host : `${host} port ${port}`;
  return new GridError({
    code,
    message: `Cannot connect to "${name}" (${place}): ${state}`,
    hint: hint ?? `look at it by hand: ssh -v ${name}`,
    node: name,
  });
}
