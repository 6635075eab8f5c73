/** Why a node has no shell for Grid, in words, and what to do about it. */
import { GridError } from "../../core/errors.ts";
import type { Endpoint } from "../transport.ts";
import { MARK } from "./shell_frame.ts";
import type { Farewell } from "./shell_session.ts";

/** What answers is not a shell that Grid works with; the hint is a whole sentence. */
export function noShell(
  { name }: Endpoint,
  { state, hint }: { readonly state: string; readonly hint: string },
): GridError {
  const message = `Cannot start a shell on "${name}": ${state}`;
  return new GridError({ code: "shell", message, hint, node: name });
}

/** The login was taken, and nothing came after it. */
export function silentShell(endpoint: Endpoint, ms: number): GridError {
  const state = `its login shell gave no answer within ${waited(ms)}`;
  return noShell(endpoint, { state, hint: silenceHint(endpoint) });
}

/** The account's shell, or what stands in its place, ended before any command could be run. */
export function endedShell(endpoint: Endpoint, { left, words }: Farewell): GridError {
  // Of a command that did begin the end of the line is what counts.
  const said = words.split(String.fromCharCode(MARK)).at(-1)?.trim() ?? "";
  return noShell(endpoint, {
    state: `${ENDED} (${left})${said === "" ? "" : `: ${said}`}`,
    hint: endHint(endpoint, said),
  });
}

const ENDED = "its login shell ended at once";
const CROWDED = /cannot fork|fork: |resource temporarily unavailable/i;

/** Whether the account stays without a shell until a person sees to it. */
export function isWithoutShell({ code, message }: Pick<GridError, "code" | "message">): boolean {
  return code === "shell" && message.includes(ENDED) && !CROWDED.test(message);
}

export function silenceHint(endpoint: Endpoint): string {
  return "its start-up files (such as ~/.bashrc, ~/.profile, ~/.zshenv) may wait for something or " +
    "read input, or the account is limited to other uses (ForceCommand, a restricted shell): " +
    byHand(endpoint, "echo hello");
}

/** @param said its last words */
export function endHint(endpoint: Endpoint, said: string): string {
  if (/account is currently not available/i.test(said)) {
    return `the account has no shell there; as root: chsh -s /bin/sh ${endpoint.user ?? "ACCOUNT"}`;
  }
  if (CROWDED.test(said)) {
    return "the account has as many processes there as it may have (ulimit -u), or the machine has " +
      "no memory left: end some, or raise the limit in /etc/security/limits.conf";
  }
  // That of /bin/false; nologin says a sentence.
  const who = said === ""
    ? "the account may have no shell there (/bin/false); or it"
    : "the account";
  return `${who}, or its key, may be limited to other uses (ForceCommand, command= in ` +
    "authorized_keys, a restricted shell), or its start-up files leave: " +
    byHand(endpoint, "/bin/sh -c :");
}

export function waited(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

/** The connection went with the first shell: once that may be chance. */
export function lostBeforeShell(endpoint: Endpoint, cause: GridError): GridError {
  return new GridError({
    code: "lost",
    message:
      `Cannot start a shell on "${endpoint.name}": the connection was lost right after the login`,
    hint: "where that happens each time, the server ends what logs in; its log tells why: " +
      byHand(endpoint, "/bin/sh -c :") + ", and there journalctl -u ssh -u sshd -n 20",
    node: endpoint.name,
    cause,
  });
}

/** For a person at another terminal, who has the same keys. */
function byHand({ name, host, port, user, proxyJump }: Endpoint, command: string): string {
  const at = host === undefined ? name : user === undefined ? host : `${user}@${host}`;
  const jump = proxyJump === undefined ? "" : `-J ${proxyJump} `;
  return `ssh ${port === undefined ? "" : `-p ${port} `}${jump}${at} '${command}'`;
}
