/** For an `ssh` that would look in another home: the configuration of this one, as a file to be named. */
import { join } from "node:path";
import { configText } from "./config_text.ts";

/** The order in which OpenSSH 9 tries its default keys. */
export const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

export interface HomeConfigOptions {
  readonly alias: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Removed with the owner. */
export function homeConfig(
  home: string,
  options: HomeConfigOptions,
): Disposable & { readonly file: string } {
  const folder = Deno.makeTempDirSync({ prefix: "grid-ssh-" });
  const file = join(folder, "config");
  Deno.writeTextFileSync(file, homeConfigText(home, options), { mode: 0o600 });
  return { file, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

/** What `~/.ssh` would mean if `~` were this home; then the system's file. */
export function homeConfigText(home: string, { alias, env }: HomeConfigOptions): string {
  const { text } = configText(join(home, ".ssh", "config"), { alias, home, env });
  const folder = join(home, ".ssh").replaceAll("%", "%%");
  return [
    text,
    "Match all",
    // Key files add up, so the defaults may only stand where nothing else does.
    ...(/^\s*identityfile/im.test(text)
      ? []
      : DEFAULT_KEYS.map((name) => `  IdentityFile "${folder}/${name}"`)),
    `  UserKnownHostsFile "${folder}/known_hosts" "${folder}/known_hosts2"`,
    "  Include /etc/ssh/ssh_config",
    "",
  ].join("\n");
}
