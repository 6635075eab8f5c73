/** A runner that dies after any event, and its successor after any of its own: nothing is done twice. */
import assert from "node:assert/strict";
import type { Event } from "../../../../src/engine/event.ts";
import { resumableState } from "../../../../src/engine/resume/lineage.ts";
import type { Journal } from "../../../../src/engine/ports.ts";
import { type Behaviour, type FakeRun, runFake, states } from "../../../support/fake_engine.ts";
import { pipeline, step } from "../../../support/pipelines.ts";

const STEPS = [
  step("a"),
  step("b", { needs: ["a"], env: { X: "${{ steps.a.outputs.x }}" } }),
  step("c"),
  step("d", { needs: ["b", "c"] }),
];

/** Nodes that outlive every runner: a job that was started goes on, and is started once. */
class World {
  readonly #jobs = new Set<string>();
  readonly #journals = new Map<string, Event[]>();
  readonly effects: string[] = [];

  /** Runs until the journal holds this many events; undefined where it died of that. */
  async run(
    run: string,
    { resumes, dieAfter = Infinity }: { readonly resumes?: string; readonly dieAfter?: number },
  ): Promise<FakeRun | undefined> {
    const events: Event[] = [];
    this.#journals.set(run, events);
    const isDead = () => events.length >= dieAfter;
    const journal: Journal = {
      append: (_run, batch) => {
        if (isDead()) throw new Error("dead");
        events.push(...batch);
        if (isDead()) throw new Error("killed");
      },
    };
    const running = runFake(pipeline(STEPS), {
      run,
      ...(resumes !== undefined && { resume: this.#state(resumes) }),
      ports: { journal },
      otherwise: this.#work(run, isDead),
    });
    try {
      return await running;
    } catch (error) {
      if (!isDead()) throw error;
      return undefined;
    }
  }

  #state(run: string) {
    return resumableState(run, (each) => this.#journals.get(each) ?? []);
  }

  #work(run: string, isDead: () => boolean): Behaviour {
    return ({ step, attempt, resumeJob }, host) => {
      const job = resumeJob?.job ?? `${run}-${step}-${attempt}`;
      host.note({ type: "node.chosen", node: "n1" });
      host.note({ type: "job.started", node: "n1", job });
      if (!isDead() && !this.#jobs.has(job)) {
        this.#jobs.add(job);
        this.effects.push(step);
      }
      return { status: "succeeded", outputs: { x: `of ${step}` } };
    };
  }
}

const ONCE_EACH = STEPS.map(({ id }) => id);

function assertWhole(world: World, { state }: FakeRun, moment: string): void {
  assert.deepEqual(world.effects.toSorted(), ONCE_EACH, moment);
  assert.equal(state.result, "succeeded", moment);
  assert.deepEqual(state.steps.get("d")?.outputs, { x: "of d" }, moment);
  assert.ok(Object.values(states(state)).every((each) => /succeeded|reused/.test(each)), moment);
}

/** Events that an undisturbed run journals. */
async function eventCount(): Promise<number> {
  const run = await new World().run("first", {});
  assert.ok(run);
  return run.events.length;
}

Deno.test("a run killed after any event is resumed, and nothing is done twice", async () => {
  const count = await eventCount();
  for (let dieAfter = 1; dieAfter < count; dieAfter++) {
    const world = new World();
    assert.equal(await world.run("first", { dieAfter }), undefined);
    const resumed = await world.run("second", { resumes: "first" });
    assert.ok(resumed);
    assertWhole(world, resumed, `killed after event ${dieAfter}`);
  }
});

Deno.test("a resumption killed after any event is resumed, and nothing is done twice", async () => {
  const count = await eventCount();
  for (let first = 1; first < count; first++) {
    for (let second = 1; second <= count; second++) {
      const world = new World();
      await world.run("first", { dieAfter: first });
      const moment = `killed after event ${first}, then ${second}`;
      const ended = await world.run("second", { resumes: "first", dieAfter: second });
      const whole = ended ?? await world.run("third", { resumes: "second" });
      assert.ok(whole);
      assertWhole(world, whole, moment);
    }
  }
});
