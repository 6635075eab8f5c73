/** Which address shows what. */
import { Hono } from "npm:hono@4.13.19";
import { GridError } from "../core/errors.ts";
import { type C, noPage, page, showProblem, stream } from "./answers.ts";
import { comparePage, MOST_OFFERED } from "./compare_page.ts";
import { guard, type GuardEnv, type GuardOptions, newToken, readForm } from "./guard.ts";
import { runPath } from "./layout.ts";
import { Live } from "./live.ts";
import { logPage, logPlace } from "./log_page.ts";
import type { Markup } from "./markup.ts";
import { nodesPage } from "./nodes_page.ts";
import { runFile } from "./run_files.ts";
import { noRun, RunFolds } from "./run_folds.ts";
import { runPage } from "./run_page.ts";
import { viewRun } from "./run_view.ts";
import { queryText, runsPage, runsQuery } from "./runs_page.ts";
import { schedulePage } from "./schedule_page.ts";
import type { WebSources } from "./sources.ts";
import type { ScheduleKey } from "../store/schedules.ts";
import { Tails } from "./tails.ts";
import { logWatch, nodesTopic, runsTopic, runTopic, scheduleTopic, type Shelf } from "./topics.ts";

export interface WebApp extends Disposable {
  fetch(request: Request): Response | Promise<Response>;
}

export type AppOptions = Omit<GuardOptions, "formToken">;

export function createApp(sources: WebSources, options: AppOptions): WebApp {
  return new App(sources, options);
}

class App implements WebApp {
  readonly #sources: WebSources;
  readonly #live: Live;
  readonly #shelf: Shelf;
  readonly #app = new Hono<GuardEnv>();

  constructor(sources: WebSources, options: AppOptions) {
    this.#sources = sources;
    this.#live = new Live(sources);
    this.#shelf = { sources, folds: new RunFolds(sources.store), tails: new Tails() };
    const formToken = newToken();
    this.#app.use(async (c, next) => {
      const { project, clock } = sources;
      c.set("frame", { project, nonce: "", formToken, now: clock.now() });
      await next();
    });
    this.#app.use(guard({ ...options, formToken }));
    this.#app.use(async (_, next) => {
      sources.store.checkPlace();
      await next();
    });
    this.#app.onError((error, c) => showProblem(error, c as C));
    this.#app.notFound((c) => showProblem(noPage(c.req.path), c as C));
    this.#addPages();
    this.#addActions();
  }

  fetch(request: Request): Response | Promise<Response> {
    return this.#app.fetch(request);
  }

  [Symbol.dispose](): void {
    this.#live[Symbol.dispose]();
  }

  #addPages(): void {
    const { store } = this.#sources;
    const app = this.#app;
    const asked = (c: C) => runsQuery(new URL(c.req.url).searchParams);
    app.get("/", (c) => page(c, runsPage(this.#sources, c.get("frame"), asked(c))));
    app.get("/events", (c) => {
      const query = asked(c);
      const topic = runsTopic(this.#sources, query);
      return stream(c, () => this.#live.follow(`runs ${queryText(query)}`, topic));
    });
    app.get("/runs/:run", async (c) => {
      const run = c.req.param("run");
      if (store.row(run) === undefined) return c.redirect(runPath(store.resolveRun(run)));
      const folded = this.#shelf.folds.of(run);
      const { tails } = this.#shelf;
      const frame = c.get("frame");
      const folder = this.#sources.folder(run);
      const view = await viewRun(folded, { tails, folder, now: frame.now });
      return page(c, runPage(frame, view, SAID.get(c.req.query("said") ?? "")));
    });
    app.get("/runs/:run/events", (c) => {
      const run = this.#known(c);
      const { formToken } = c.get("frame");
      return stream(
        c,
        () => this.#live.follow(`run ${run}`, runTopic(this.#shelf, { run, formToken })),
      );
    });
    app.get("/runs/:run/logs/:step", async (c) => {
      const run = this.#known(c);
      const folded = this.#shelf.folds.of(run);
      const place = logPlace(folded.state, c.req.param("step"), c.req.query("attempt") ?? null);
      const folder = this.#sources.folder(run);
      return page(c, await logPage({ frame: c.get("frame"), folded, place, folder }));
    });
    app.get("/runs/:run/logs/:step/events", (c) => {
      const run = this.#known(c);
      const chosen = c.req.query("attempt") ?? null;
      // A browser whose connection was lost says what it has.
      const from = c.req.header("last-event-id") ?? c.req.query("from") ?? "";
      const watch = logWatch(this.#shelf, {
        run,
        step: c.req.param("step"),
        chosen,
        from: /^\d{1,15}$/.test(from) ? Number(from) : 0,
      });
      return stream(c, () => this.#live.watch(watch));
    });
    app.get("/nodes", async (c) => page(c, nodesPage(c.get("frame"), await this.#sources.nodes())));
    app.get(
      "/nodes/events",
      (c) => stream(c, () => this.#live.follow("nodes", nodesTopic(this.#sources))),
    );
    app.get("/schedule", (c) => page(c, schedulePage(c.get("frame"), this.#sources.schedules())));
    app.get("/schedule/events", (c) => {
      const { formToken } = c.get("frame");
      return stream(
        c,
        () => this.#live.follow("schedule", scheduleTopic(this.#sources, formToken)),
      );
    });
    app.get("/compare", (c) => page(c, this.#compare(c)));
    app.get("/metrics", async (c) =>
      c.body(await this.#metrics(), 200, {
        // Prometheus 3 takes no other. https://prometheus.io/docs/instrumenting/exposition_formats/
        "content-type": "text/plain; version=0.0.4; charset=utf-8",
      }));
    app.get("/files/:run/:name{.+}", async (c) => {
      const run = this.#known(c);
      const name = c.req.param("name");
      const { state, isUnderWay } = this.#shelf.folds.of(run);
      if (name === "report.html" && !isUnderWay) await this.#sources.completeReport(state);
      return await runFile(this.#sources.folder(run), name);
    });
  }

  #addActions(): void {
    const { store, account } = this.#sources;
    this.#act("/runs/:run/cancel", (c) => {
      const run = this.#known(c);
      const there = store.nodeRunners.find(run);
      if (there?.isAlive) throw runsThere(run, there.node);
      if (!store.requestCancel(run, `cancelled by ${account}`)) throw notRunning(run);
      return `${runPath(run)}?said=cancel`;
    });
    this.#act("/runs/:run/resume", async (c) => {
      const next = await this.#sources.resume(this.#known(c));
      return `${runPath(next)}?said=resume`;
    });
    this.#act(
      "/schedule/pause",
      (c) => this.#pause(c, (key) => store.schedules.pause(key, account)),
    );
    this.#act("/schedule/unpause", (c) => {
      const { clock } = this.#sources;
      return this.#pause(c, (key) => store.schedules.unpause(key, clock.now()));
    });
    this.#act("/nodes/look", async () => {
      await this.#sources.lookAtNodes();
      return "/nodes";
    });
  }

  #pause(c: C, act: (key: ScheduleKey) => boolean): string {
    const key = { file: c.req.query("file") ?? "", name: c.req.query("name") ?? "" };
    if (!act(key)) throw noSchedule(key);
    return "/schedule";
  }

  /** What changes anything is a form of ours, and leads to a page that may be loaded again. */
  #act(path: string, act: (c: C) => string | Promise<string>): void {
    this.#app.post(path, async (c) => {
      const form = await readForm(c);
      return form instanceof Response ? form : c.redirect(await act(c), 303);
    });
    this.#app.all(path, (c) => {
      c.header("allow", "POST");
      return showProblem(noPage(c.req.path), c, 405);
    });
  }

  /** Full id of the run in the address. */
  #known(c: C): string {
    const run = c.req.param("run") ?? "";
    if (this.#sources.store.row(run) === undefined) throw noRun(run);
    return run;
  }

  #compare(c: C): Markup {
    const { store } = this.#sources;
    const marked = c.req.queries("run") ?? [];
    const [a, b] = [c.req.query("a") ?? marked[1], c.req.query("b") ?? marked[0]];
    const recent = store.runs({ limit: MOST_OFFERED });
    const frame = c.get("frame");
    if (marked.length > 2) throw tooMany(marked.length);
    if (!a || !b) return comparePage({ frame, recent, runs: undefined });
    const [one, other] = [store.resolveRun(a), store.resolveRun(b)];
    return comparePage({
      frame,
      recent,
      runs: [this.#shelf.folds.of(one), this.#shelf.folds.of(other)],
    });
  }

  #reading: Promise<string> | undefined;

  /** Who asks at the same time has the same answer. */
  async #metrics(): Promise<string> {
    this.#reading ??= this.#sources.metrics().finally(() => this.#reading = undefined);
    return await this.#reading;
  }
}

const SAID: ReadonlyMap<string, string> = new Map([
  [
    "cancel",
    "Asked the run to stop: its commands are ended as by Ctrl-C, and its report is written.",
  ],
  ["resume", "Started a runner of its own: it goes on when this page or grid serve is closed."],
]);

function notRunning(run: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot cancel run ${run}: it is over, or its runner is gone`,
    hint: `what it left on nodes: grid ps; to go on: grid resume ${run}`,
  });
}

function runsThere(run: string, node: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot cancel run ${run} from here: its runner lives on "${node}"`,
    hint: `grid cancel ${run}`,
  });
}

function tooMany(count: number): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot compare ${count} runs: it takes two`,
    hint: "go back and mark two of them",
  });
}

function noSchedule({ file, name }: ScheduleKey): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot find the schedule "${name}" of ${file}: it is gone`,
    hint: "look at what there is: /schedule",
  });
}
