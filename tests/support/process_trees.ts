/** Shapes of process trees that runners are known to leave behind. */

export interface ProcessTree {
  readonly name: string;
  /** Runs until it is ended; every process carries `$GRID_JOB`, or is a descendant of one that does. */
  readonly command: string;
  /** Living processes once it stands. */
  readonly processes: number;
}

export const PROCESS_TREES: readonly ProcessTree[] = [
  { name: "plain", command: "exec sleep 1000", processes: 1 },
  { name: "nested shells", command: "sh -c 'sh -c \"sleep 1000; :\"; :'; :", processes: 4 },
  { name: "background and wait", command: "sleep 1000 & sleep 1000 & wait", processes: 3 },
  { name: "a child in a session of its own", command: "setsid sleep 1000 & wait", processes: 2 },
  { name: "nohup", command: "nohup sleep 1000 >/dev/null 2>&1 & wait", processes: 2 },
  {
    name: "deaf to the polite signal",
    command: "trap '' TERM; sh -c 'sleep 1000; :' & while :; do sleep 1000; done",
    processes: 4,
  },
  {
    name: "double fork",
    command: "(setsid sh -c 'sleep 1000 & sleep 1000 & wait' >/dev/null 2>&1 &); sleep 1000; :",
    processes: 5,
  },
  {
    name: "stopped",
    command: "sleep 1000 & kill -STOP $!; sh -c 'kill -STOP $$' & wait",
    processes: 3,
  },
  {
    name: "a child without its environment",
    command: "env -i setsid sleep 1000 & wait",
    processes: 2,
  },
  {
    name: "a deaf child without its environment",
    command: "env -i setsid sh -c \"trap '' TERM; while :; do sleep 1000; done\" & wait",
    processes: 3,
  },
];
