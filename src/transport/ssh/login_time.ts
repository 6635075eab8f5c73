/** What to do where a login takes long (a slow directory, a slow jump host): by hand it works, only later. */
export function slowHint(ms: number): string {
  const seconds = Math.ceil(ms / 1000) * 4;
  return "if it is only slow, give it more time in cluster_config.yaml: " +
    `ssh: { connect_timeout: ${seconds} }`;
}
