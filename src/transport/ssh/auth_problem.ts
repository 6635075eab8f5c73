/** The one sentence for a login that the server refused. */
import { GridError } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import type { Address } from "./address.ts";
import type { Credentials } from "./auth.ts";
import { Beyond } from "./beyond.ts";

/** What the server made of what it was offered. */
export interface AuthAnswer {
  /** What it would take next, by the names of RFC 4252; undefined where it did not say. */
  readonly methods: readonly string[] | undefined;
  /** In words, what it was content with, and yet wanted more. */
  readonly accepted: readonly string[];
}

export interface AuthProblem {
  readonly credentials: Credentials;
  readonly answer: AuthAnswer;
}

export function authError(address: Address, { credentials, answer }: AuthProblem): GridError {
  const { node, user, host, port } = address;
  const { offered, problems } = credentials;
  if (answer.accepted.length > 0) return secondFactorError(address, answer);
  const refused = offered.length === 0
    ? "there is no key to offer"
    : `the server refused ${offered.join(", ")}`;
  const lacking = lackingOf(address, { credentials, answer });
  const states = [
    refused,
    ...problems.map(({ state }) => state),
    // Of a key file the problem tells already.
    ...lacking.filter((what) => !what.startsWith("the key "))
      .map((what) => `only ssh itself can log in with ${what}`),
    ...(takesKeys(answer) ? [] : [`it takes no keys, only ${answer.methods?.join(", ")}`]),
  ];
  return new GridError({
    code: "auth",
    message: `Cannot log in to "${node}" as ${user}: ${states.join("; ")}`,
    hint: !takesKeys(answer) && lacking.length === 0
      ? secondFactorHint(node)
      : problems[0]?.hint ?? (lacking.length > 0
        ? "let ssh itself log in: transport: openssh for this node in cluster_config.yaml"
        : offered.length === 0
        ? "set ssh.key_file in cluster_config.yaml, or load a key: ssh-add"
        : `add the key to the account: ssh-copy-id -p ${port} ${user}@${host}; ` +
          "or name another in ssh.key_file; an account that has expired is refused alike"),
    node,
    cause: lacking.length > 0
      ? new Beyond(`Grid's own SSH cannot log in with ${lacking.join(", ")}`)
      : undefined,
  });
}

/** In words, for the names of RFC 4252. */
const FACTORS: Readonly<Record<string, string>> = {
  password: "a password",
  "keyboard-interactive": "an answer to a question (keyboard-interactive)",
  publickey: "another key",
};

function wantedFactors(methods: readonly string[]): string {
  return methods.map((method) => own(FACTORS, method) ?? method).join(" or ");
}

/** What to do about a login that asks a person. */
export function secondFactorHint(node: string): string {
  return `answer once at a terminal, and Grid rides on that connection: grid login ${node}`;
}

export function secondFactorError(
  { node, user }: Pick<Address, "node" | "user">,
  { accepted, methods }: AuthAnswer,
): GridError {
  const also = wantedFactors(methods ?? []) || "something more";
  const keys = accepted.length > 0 ? ` (${accepted.join(", ")})` : "";
  return new GridError({
    code: "auth",
    message:
      `Cannot log in to "${node}" as ${user}: the key was accepted${keys}; the server also wants ${also}`,
    hint: secondFactorHint(node),
    node,
  });
}

function lackingOf(address: Address, { credentials, answer }: AuthProblem): readonly string[] {
  const others = address.otherLogins.filter(({ method }) => answer.methods?.includes(method));
  return [...credentials.beyond, ...others.map(({ keyword }) => keyword)];
}

function takesKeys({ methods }: AuthAnswer): boolean {
  return methods === undefined || methods.length === 0 || methods.includes("publickey");
}
