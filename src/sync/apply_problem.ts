/** Turns what `apply.sh` says when it gives up into an error with a way out. */
import { GridError } from "../core/errors.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

interface Where {
  readonly target: SyncTarget;
  readonly place: Place;
}

/** @param line `failed <kind>` @param detail what the script adds: paths, or the words of a tool */
export function problemOf(line: string, detail: string, { target, place }: Where): GridError {
  const what = `Cannot sync "${place.name}" to "${target.node}"`;
  const node = target.node;
  const words = detail.trim();
  switch (line) {
    case "failed locked":
      return new GridError({
        code: "conflict",
        message: `${what}: another sync holds it (${words || "unknown owner"})`,
        hint: `Wait for it; a lock left behind is taken over after two minutes`,
        node,
      });
    case "failed link":
      return new GridError({
        code: "sync",
        message: `${what}: there is a link where a folder belongs, and Grid never writes through ` +
          `one: ${oneLine(words)}`,
        hint: "Remove the link on the node, or give sync.as another name",
        node,
      });
    case "failed conflict":
      return new GridError({
        code: "sync",
        message: `${what}: in the way, and not put there by Grid: ${oneLine(words)}`,
        hint: `Move it away on the node, in ${place.folder}`,
        node,
      });
    case "failed delete":
      return new GridError({
        code: "sync",
        message: `${what}: it could not delete ${oneLine(words)}`,
        hint:
          "Everything else is in its place. Make the folders around them writable, and sync again",
        node,
      });
    case "failed keep":
      return new GridError({
        code: "sync",
        message: `${what}: it could not move aside what others wrote: ${lastLine(words)}`,
        hint: "Nothing was replaced; try again",
        node,
      });
    case "failed write":
      return new GridError({
        code: "workspace",
        message: `${what}: nothing can be written there: ${oneLine(words)}`,
        hint: `Check the owner and the space of ${place.root}`,
        node,
      });
    case "failed stat":
      return new GridError({
        code: "missing-tool",
        message: words === ""
          ? `${what}: there is no stat, which tells what changed there`
          : `${what}: ${
            oneLine(words)
          } knows neither -c nor -f, so nobody can tell what changed there`,
        hint: `Install stat on the node: it is part of coreutils and of busybox`,
        node,
      });
    case "failed rows":
      return new GridError({
        code: "sync",
        message: `${what}: stat told only about ${words} files that are there`,
        hint:
          "Nothing was changed since; try again, and look at the limits of the account if it stays",
        node,
      });
    case "failed tar":
      return new GridError({
        code: "sync",
        message: `${what}: ${lastLine(words) || "tar ended early there"}`,
        hint: tarHint(words),
        node,
      });
    default:
      return new GridError({
        code: "sync",
        message: `${what}: ${line}${words ? `: ${lastLine(words)}` : ""}`,
        hint: "The folder there is as it was, or is put right by the next sync; try again",
        node,
      });
  }
}

function tarHint(words: string): string {
  if (/no space left|disk quota/i.test(words)) return "Free some space or some inodes on the node";
  if (/not found/.test(words)) return "Install tar on the node";
  return "The folder there is as it was; try again";
}

function oneLine(words: string): string {
  const lines = words.split("\n").filter((line) => line !== "");
  const shown = lines.slice(0, 5).join(", ");
  return lines.length > 5 ? `${shown} and ${lines.length - 5} more` : shown;
}

function lastLine(words: string): string {
  return words.split("\n").filter((line) => !/Exiting with failure status/.test(line)).at(-1) ??
    words;
}
