/**
 * Work that a command has somebody else do: a container engine, a service manager, a queue. It is no
 * process of the command, carries no mark, and goes on when all processes are ended.
 */
import { own } from "../../core/own.ts";
const RUNS_ON: Readonly<Record<string, string>> = {
  apptainer: "a container",
  crictl: "a container",
  ctr: "a container",
  docker: "a container",
  "docker-compose": "a container",
  kubectl: "a pod",
  lxc: "a container",
  machinectl: "a container",
  nerdctl: "a container",
  podman: "a container",
  "podman-compose": "a container",
  qsub: "a job",
  sbatch: "a job",
  singularity: "a container",
  srun: "a job",
  "systemd-run": "a unit",
};

/** Those whose own processes do the work, unless a script says otherwise. */
const HERE: ReadonlySet<string> = new Set(["apptainer", "singularity"]);
/** What makes a call hand work over; any, where nothing is said. */
const VERBS: Readonly<Record<string, string>> = {
  apptainer: "instance",
  singularity: "instance",
  kubectl: "run|create|apply|exec",
  machinectl: "start|shell",
  "systemd-run": "",
  qsub: "",
  sbatch: "",
  srun: "",
};
const CONTAINER_VERBS = "run|start|create|exec|up|play|compose";

/** Those of these program names that have others do their work. */
export function handedOver(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].filter((name) => Object.hasOwn(RUNS_ON, name) && !HERE.has(name))
    .toSorted();
}

/** Those that a script calls: they may be gone at once, as `docker run -d` is. */
export function handedOverIn(script: string): readonly string[] {
  const calls = script.split(/[\n;&|(`]/).map((part) => part.trim().split(/\s+/));
  return Object.keys(RUNS_ON).filter((name) =>
    calls.some((words) => {
      const at = words.findIndex((word) => word === name || word.endsWith(`/${name}`));
      if (at < 0 || words[0]?.startsWith("#")) return false;
      const verbs = (own(VERBS, name) ?? CONTAINER_VERBS).split("|");
      return verbs[0] === "" || words.slice(at + 1).some((word) => verbs.includes(word));
    })
  );
}

/** "a container may still run: docker"; empty where nothing was handed over. */
export function handedOverWords(names: readonly string[]): string {
  const kinds = Map.groupBy(new Set(names), (name) => own(RUNS_ON, name) ?? "something");
  return [...kinds].map(([kind, found]) => `${kind} may still run: ${found.toSorted().join(", ")}`)
    .join("; ");
}
