/** Why `ssh` did not trust a host's key. */
import { GridError } from "../../core/errors.ts";
import type { Endpoint } from "../transport.ts";
import type { MasterLog } from "./master_log.ts";

/** Undefined where the host's key was not the problem. */
export function explainHostKey(log: MasterLog, { name }: Endpoint): GridError | undefined {
  if (
    log.phase === "auth" || !log.words.some((line) => /Host key verification failed/.test(line))
  ) {
    return undefined;
  }
  const refuse = (state: string, hint: string) =>
    new GridError({
      code: "host-key",
      message: `Cannot trust "${name}": ${state}`,
      hint,
      node: name,
    });
  const find = (pattern: RegExp) => log.words.find((line) => pattern.test(line));
  const shown = log.hostKey;
  if (shown === undefined) {
    const state = find(/host key (is known )?for/) ?? "its host key was not accepted";
    return refuse(
      `a jump host on the way: ${state}`,
      "compare the fingerprint, then add the key by hand: ssh to the jump host once",
    );
  }
  const invalid = find(/^Certificate invalid|Certificate .*(expired|not yet valid)/);
  if (invalid) {
    return refuse(
      `its host certificate is not valid (${invalid.replace(/^Certificate invalid: /, "")})`,
      "ask whoever runs the certificate authority for a new one",
    );
  }
  if (find(/revoked/)) {
    return refuse(
      `its host key ${shown} is revoked`,
      "do not connect; ask whoever runs the machine for a new host key",
    );
  }
  if (find(/has changed/)) {
    const offending = /^Offending .* in (.*)$/.exec(find(/^Offending /) ?? "")?.[1];
    const remove = find(/ssh-keygen -f /)?.trim();
    return refuse(
      `its host key changed: ${offending ?? "known_hosts"} expects another, it showed ${shown}`,
      `somebody may be listening in; if the machine was set up anew: ` +
        `${remove ? `${remove} && ` : ""}grid trust ${name}`,
    );
  }
  return refuse(
    `its host key is not known: it showed ${shown}`,
    `compare the fingerprint and add the key: grid trust ${name}`,
  );
}
