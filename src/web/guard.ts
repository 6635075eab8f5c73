/** Who may look and who may act; everything else in this room trusts what has passed here. */
import { hash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "npm:hono@4.13.19";
import { randomWord } from "../core/ids.ts";
import type { Frame } from "./layout.ts";
import { refusalPage } from "./problem_page.ts";

export interface GuardOptions {
  /** What whoever may look knows. */
  readonly token: string;
  /** Has to come with every form. */
  readonly formToken: string;
  /** Names under which the app may be asked for, besides addresses written as numbers. */
  readonly names: ReadonlySet<string>;
  /** Whether it is reached from other machines, by any of this machine's addresses. */
  readonly isPublic: boolean;
}

export interface GuardEnv {
  Variables: { frame: Frame };
}

/** A form of ours is a few words. */
const MOST_FORM_BYTES = 4096;

/** About 130 bits. */
export function newToken(): string {
  return randomWord(26);
}

export function guard(options: GuardOptions): MiddlewareHandler<GuardEnv> {
  return async (c, next) => {
    const nonce = randomWord(22);
    c.set("frame", { ...c.get("frame"), nonce, formToken: options.formToken });
    const refusal = refuse(c, options);
    if (refusal === undefined) await next();
    else c.res = refusal;
    secure(c, nonce);
  };
}

function refuse(c: Context<GuardEnv>, options: GuardOptions): Response | undefined {
  const { token } = options;
  if (!isOwnHost(c.req.header("host"), options)) {
    return refused(c, 403, {
      state: "this address is not one of Grid's",
      hint: "use the address that grid serve printed",
    });
  }
  const url = new URL(c.req.url);
  const given = url.searchParams.get("token");
  if (given !== null && c.req.method === "GET" && isEqual(given, token)) {
    return enter(c, { url, token });
  }
  const known = cookieOf(c, cookieName(url)) ?? bearerOf(c, url.pathname);
  if (known === undefined || !isEqual(known, token)) {
    return refused(c, 401, {
      state: "it needs the token of this grid serve",
      hint: "use the whole address that grid serve printed, with ?token=…",
    });
  }
  if (!["GET", "HEAD", "POST"].includes(c.req.method)) {
    return refused(c, 405, { state: `${c.req.method} means nothing here` });
  }
  return undefined;
}

/** The token goes out of the address, which is shown, kept and sent on, into a cookie. */
function enter(
  c: Context<GuardEnv>,
  { url, token }: { readonly url: URL; readonly token: string },
): Response {
  url.searchParams.delete("token");
  // What begins with two slashes would name another host.
  const to = `${url.pathname.replace(/^\/+/, "/")}${url.search}`;
  c.header("set-cookie", `${cookieName(url)}=${token}; HttpOnly; SameSite=Strict; Path=/`);
  // After a redirect that another site began, browsers keep a strict cookie back; not after a page of ours.
  if (c.req.header("sec-fetch-site") === "cross-site") {
    c.header("refresh", `0; url=${to}`);
    return c.html("<!doctype html><title>Grid</title>");
  }
  return c.redirect(to, 303);
}

/** Browsers give the cookies of a host to all its ports: each grid serve needs one of its own. */
function cookieName({ port }: URL): string {
  return `grid_${port || 80}`;
}

/**
 * What was filled in, where the form comes from a page of ours; else the refusal.
 *
 * Browsers say where a form comes from in `Origin` or `Sec-Fetch-Site`, and a page cannot change that.
 */
export async function readForm(
  c: Context<GuardEnv>,
): Promise<URLSearchParams | Response> {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  const isOwn = origin === undefined
    ? site === "same-origin"
    : originHost(origin) === c.req.header("host") && (site ?? "same-origin") === "same-origin";
  if (!isOwn) return refused(c, 403, { state: "the form comes from another page than Grid's" });
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\b/.test(type)) {
    return refused(c, 415, { state: "it is no form" });
  }
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  if (!(length <= MOST_FORM_BYTES)) return refused(c, 413, { state: "the form is too long" });
  const form = new URLSearchParams(await c.req.text());
  if (isEqual(form.get("form") ?? "", c.get("frame").formToken)) return form;
  return refused(c, 403, { state: "the page is of an earlier grid serve", hint: "load it anew" });
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** A name that leads here may be anybody's: another site's page would be let in by it. */
function isOwnHost(header: string | undefined, { names, isPublic }: GuardOptions): boolean {
  if (header === undefined || !/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(header)) {
    return false;
  }
  const host = header.replace(/:\d+$/, "").toLowerCase();
  if (names.has(host)) return true;
  return isPublic && (/^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.startsWith("["));
}

function cookieOf(c: Context, name: string): string | undefined {
  return c.req.header("cookie")?.split("; ")
    .find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Prometheus brings no cookies. */
function bearerOf(c: Context, path: string): string | undefined {
  if (path !== "/metrics") return undefined;
  return /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "")?.[1];
}

/** Takes as long for a wrong token that begins right. */
function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}

function refused(
  c: Context<GuardEnv>,
  status: 401 | 403 | 405 | 413 | 415,
  words: { readonly state: string; readonly hint?: string },
): Response {
  if (status === 405) c.header("allow", "GET, HEAD, POST");
  return c.html(refusalPage(c.get("frame"), { action: "show this", ...words }).text, status);
}

function secure(c: Context, nonce: string): void {
  const { headers } = c.res;
  if (!headers.has("content-security-policy")) {
    headers.set(
      "content-security-policy",
      [
        "default-src 'none'",
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}'`,
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join("; "),
    );
  }
  headers.set("x-content-type-options", "nosniff");
  headers.set("x-frame-options", "DENY");
  // With `no-referrer` browsers would not say either where a form comes from.
  headers.set("referrer-policy", "same-origin");
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-resource-policy", "same-origin");
  headers.set("cache-control", "no-store");
}
