/** How pages, streams of events and problems are sent. */
import type { Context } from "npm:hono@4.13.19";
import { EXIT_CODES, GridError, toGridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { EventStream } from "./event_stream.ts";
import type { GuardEnv } from "./guard.ts";
import type { Markup } from "./markup.ts";
import { problemPage } from "./problem_page.ts";

const log = getLogger("web");

export type C = Context<GuardEnv>;

export function page(c: C, markup: Markup): Response | Promise<Response> {
  return c.html(markup.text);
}

export function stream(c: C, open: () => EventStream): Response {
  if (c.req.method === "HEAD") return c.body(null, 405);
  return new Response(open().body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" },
  });
}

export function showProblem(thrown: unknown, c: C, status?: 405): Response | Promise<Response> {
  const error = toGridError(thrown);
  if (error.code === "bug") {
    log.error(`${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
  }
  const { exitCode } = error;
  const own = exitCode === EXIT_CODES.usage ? 404 : exitCode === EXIT_CODES.conflict ? 409 : 500;
  return c.html(problemPage(c.get("frame"), error).text, status ?? own);
}

export function noPage(path: string): GridError {
  return new GridError({ code: "usage", message: `Cannot show ${path}: there is no such page` });
}
