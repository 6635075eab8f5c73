/** `grid serve` as a process, and a browser's side of it. */
import { type RunningGrid, startGrid } from "./cli.ts";
import { SentEvents } from "./web_app.ts";

export interface Serving extends AsyncDisposable {
  readonly process: RunningGrid;
  /** With the token in it. */
  readonly address: string;
  readonly origin: string;
  ask(path: string, init?: RequestInit): Promise<Response>;
  text(path: string): Promise<string>;
  /** Presses the button of a page whose form leads there; gives where that led. */
  press(page: string, action: string): Promise<string>;
  events(path: string): Promise<SentEvents>;
}

export async function startServing(cwd: string, args: readonly string[] = []): Promise<Serving> {
  // Its address comes while it runs: a file takes it.
  const file = `${cwd}/.grid/address`;
  const process = startGrid(["serve", "--port", "0", "--no-open", ...args], {
    cwd,
    stdoutTo: file,
  });
  const address = await firstLine(file, process);
  const { origin, searchParams } = new URL(address);
  const cookie = `grid_${new URL(address).port}=${searchParams.get("token")}`;
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const ask: Serving["ask"] = (path, init = {}) => {
    const headers = { cookie, ...init.headers as Record<string, string> };
    return fetch(new URL(path, origin), { ...init, headers, client, redirect: "manual" });
  };
  const text = async (path: string) => await (await ask(path)).text();
  return {
    process,
    address,
    origin,
    ask,
    text,
    press: async (page, action) => {
      const form = new RegExp(`action="${action}"><input type="hidden" name="form" value="([^"]+)"`)
        .exec(await text(page))?.[1];
      if (form === undefined) throw new Error(`no button on ${page} leads to ${action}`);
      const response = await ask(action, {
        method: "POST",
        body: new URLSearchParams({ form }),
        headers: { origin },
      });
      await response.body?.cancel();
      return response.headers.get("location") ?? `${response.status}`;
    },
    events: async (path) => new SentEvents(await ask(path)),
    [Symbol.asyncDispose]: async () => {
      await process[Symbol.asyncDispose]();
      client.close();
    },
  };
}

async function firstLine(file: string, process: RunningGrid): Promise<string> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const line = /^.*(?=\n)/.exec(Deno.readTextFileSync(file))?.[0];
    if (line !== undefined) return line;
    if (process.isOver()) throw new Error((await process.ended).stderr);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("grid serve did not say where it is");
}
