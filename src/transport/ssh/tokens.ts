/** Paths of ssh_config(5): `~`, `%` tokens and `${NAME}`, which `ssh -G` prints as they were written. */
import { own } from "../../core/own.ts";
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Account } from "./account.ts";

export interface Tokens {
  /** `%n`: what the user calls the host. */
  readonly alias: string;
  /** `%h`: the real name. */
  readonly host: string;
  readonly port: number;
  /** `%r`: who logs in there. */
  readonly user: string;
  /** `%k`: `HostKeyAlias`, else what the user calls the host. */
  readonly hostKeyAlias: string | undefined;
  /** `%j`: as `ProxyJump` says it. */
  readonly proxyJump: string | undefined;
  readonly home: string;
  readonly account: Account;
  readonly env: Readonly<Record<string, string>>;
}

/** What is unknown stays as it stands, and is missed by its own name. */
export function expandPath(path: string, tokens: Tokens): string {
  const known = path.replaceAll(
    /\$\{(\w+)\}|%./g,
    (found, name?: string) =>
      name === undefined ? tokenOf(found, tokens) ?? found : own(tokens.env, name) ?? found,
  );
  return known === "~" || known.startsWith("~/") ? join(tokens.home, known.slice(1)) : known;
}

function tokenOf(token: string, tokens: Tokens): string | undefined {
  const { alias, host, port, user, home } = tokens;
  switch (token) {
    case "%%":
      return "%";
    case "%C":
      return createHash("sha1").update(`${hostname()}${host}${port}${user}${jumpOf(tokens)}`)
        .digest("hex");
    case "%d":
      return home;
    case "%h":
      return host;
    case "%i":
      return String(Deno.uid());
    case "%j":
      return jumpOf(tokens);
    case "%k":
      return tokens.hostKeyAlias ?? alias;
    case "%L":
      return hostname().split(".")[0];
    case "%l":
      return hostname();
    case "%n":
      return alias;
    case "%p":
      return String(port);
    case "%r":
      return user;
    case "%u":
      return tokens.account.name;
    default:
      return undefined;
  }
}

function jumpOf({ proxyJump }: Tokens): string {
  return proxyJump === undefined || proxyJump === "none" ? "" : proxyJump;
}
