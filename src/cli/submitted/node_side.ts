/** The Grid that was brought to a node, asked by the one that has brought it. */
import { lazy } from "../../core/lazy.ts";
import type { CliContext } from "../context.ts";
import type { Request } from "./request.ts";

/** Secrets of a run are a few kilobytes. */
const MOST_BYTES = 16 * 2 ** 20;

/** Answers one request; the exit code. */
export async function answerHome(context: CliContext): Promise<number> {
  const request = JSON.parse(readRequest()) as Request;
  switch (request.ask) {
    case "check": {
      const { checkHere } = await lazy<typeof import("./check_here.ts")>(
        "./check_here.ts",
        import.meta.url,
      );
      return answer(context, await checkHere(request, context));
    }
    case "begin": {
      const { beginHere } = await lazy<typeof import("./begin_here.ts")>(
        "./begin_here.ts",
        import.meta.url,
      );
      return answer(context, await beginHere(request, context));
    }
    case "cancel": {
      const { cancelHere } = await lazy<typeof import("./begin_here.ts")>(
        "./begin_here.ts",
        import.meta.url,
      );
      return answer(context, cancelHere(request, context));
    }
    case "feed": {
      const { feedHome } = await lazy<typeof import("./feed.ts")>("./feed.ts", import.meta.url);
      await feedHome(request, context);
      return 0;
    }
  }
}

function answer(context: CliContext, value: unknown): number {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  context.stdout(`answer ${bytes.length}\n`);
  context.stdout(bytes);
  return 0;
}

/** What else comes is for others to read. */
function readRequest(): string {
  const byte = new Uint8Array(1);
  const piece = new Uint8Array(64 * 1024);
  const size = Number(readWord(byte));
  if (!(size <= MOST_BYTES)) throw new Error(`a request of ${size} bytes`);
  const all = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const count = Deno.stdin.readSync(piece.subarray(0, Math.min(piece.length, size - at)));
    if (count === null) throw new Error("the request ended too early");
    all.set(piece.subarray(0, count), at);
    at += count;
  }
  return new TextDecoder().decode(all);
}

function readWord(byte: Uint8Array): string {
  let word = "";
  while (word.length < 12) {
    if (Deno.stdin.readSync(byte) === null) break;
    const character = String.fromCharCode(byte[0] ?? 0);
    if (character === "\n") break;
    word += character;
  }
  return word;
}
