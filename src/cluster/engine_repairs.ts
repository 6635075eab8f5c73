/** What an account lacks to use an engine of containers, by what its client says. */
const REPAIRS: readonly (readonly [RegExp, string])[] = [
  [
    /permission denied.*docker|docker.*permission denied/is,
    "sudo usermod -aG docker ACCOUNT, which lets it become root there",
  ],
  [
    /Cannot connect to the Docker daemon|failed to connect to the docker API/i,
    "sudo systemctl start docker; one that listens elsewhere: env: { DOCKER_HOST: … } at the node",
  ],
  [
    /subuid|subgid|newuidmap/i,
    "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ACCOUNT",
  ],
];

/** A command line for somebody who may; undefined where nothing is known of it. */
export function engineRepair(words: string): string | undefined {
  return REPAIRS.find(([pattern]) => pattern.test(words))?.[1];
}
