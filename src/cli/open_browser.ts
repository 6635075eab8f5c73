/** Shows an address in the browser of whoever sits here. */
import { escapeMarkup } from "../report/markup.ts";

export interface BrowserOptions {
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Does nothing where there is no desktop. The address holds a token, and everybody may read the words of
 * processes: what is opened is a private file that leads there.
 */
export function openBrowser({ address, env }: BrowserOptions): Disposable {
  const nothing = { [Symbol.dispose]: () => {} };
  const isMac = Deno.build.os === "darwin";
  const isFar = env["SSH_CONNECTION"] !== undefined;
  if (isFar || !(isMac || env["DISPLAY"] || env["WAYLAND_DISPLAY"])) return nothing;
  const folder = Deno.makeTempDirSync({ prefix: "grid-serve-" });
  const file = `${folder}/open.html`;
  const to = escapeMarkup(address);
  const text =
    `<!doctype html><meta http-equiv="refresh" content="0; url=${to}"><a href="${to}">Grid</a>`;
  Deno.writeTextFileSync(file, text, { mode: 0o600 });
  try {
    new Deno.Command(isMac ? "open" : "xdg-open", {
      args: [file],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn().unref();
  } catch (error) {
    // No desktop after all: the address is printed.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return { [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}
