/**
 * The processors' time of everything that a benchmark starts, daemons included: on a machine that others
 * use, too, it says more than the clock does. The kernel counts it for a control group of its own; parents
 * would not do, for Ray's raylet ignores how its workers end, and what they used is lost then.
 */
import { join } from "node:path";

export class ProcessorTime implements Disposable {
  readonly #parent: string | undefined;
  readonly #group: string | undefined;

  /** From now on this process and all that it starts are counted, where this account may ask for that. */
  constructor() {
    try {
      this.#parent = groupOfThis();
      this.#group = join(this.#parent, `grid-bench-${Deno.pid}`);
      Deno.mkdirSync(this.#group);
      enter(this.#group);
    } catch (error) {
      this.#group = undefined;
      console.log(`The processors' time is left out: ${error}`);
    }
  }

  /** So far; NaN where it is not known. */
  get seconds(): number {
    if (this.#group === undefined) return Number.NaN;
    const text = Deno.readTextFileSync(join(this.#group, "cpu.stat"));
    return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]) / 1e6;
  }

  [Symbol.dispose](): void {
    if (this.#group === undefined || this.#parent === undefined) return;
    enter(this.#parent);
    try {
      Deno.removeSync(this.#group);
    } catch (error) {
      console.log(`${this.#group} stays: ${error}`); // something that was started still runs
    }
  }
}

/** Its folder in the second version's file system. */
function groupOfThis(): string {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(Deno.readTextFileSync("/proc/mounts"))?.[1];
  const group = /^0::(.*)$/m.exec(Deno.readTextFileSync("/proc/self/cgroup"))?.[1];
  if (mount === undefined || group === undefined) throw new Error("there are no control groups");
  return join(mount, group);
}

function enter(group: string): void {
  Deno.writeTextFileSync(join(group, "cgroup.procs"), String(Deno.pid), { create: false });
}
