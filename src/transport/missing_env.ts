/** A node without `env` on its PATH, with which every command on a channel of its own begins. */

/** What is the matter and what to do; undefined where a login shell's words say something else. */
export function missingEnv(words: string): { state: string; hint: string } | undefined {
  if (!/\benv: (?:command )?not found|\benv'?: No such file/.test(words)) return undefined;
  return {
    state: `its PATH has no env (${words})`,
    hint: "give its sshd a PATH with the usual programs (SetEnv PATH=… in sshd_config)",
  };
}
