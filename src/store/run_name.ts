/** Which run a name stands for: an id, the beginning of one, a pipeline or its file, `last`, `train@2`. */
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import { isRunId } from "../core/ids.ts";
import type { Connection } from "./connection.ts";

/** Ids named in the message when a prefix fits many. */
const MOST_NAMED = 5;

/** @throws {GridError} `usage` where it is none, or several */
export function resolveRun(connection: Connection, name: string): string {
  const [, word = name, back = "1"] = /^(.+)@([1-9]\d{0,5})$/.exec(name) ?? [];
  const named = runOfPipeline(connection, { name: word, back: Number(back) - 1 });
  if (word === "last") {
    if (named !== undefined) return named;
    throw noRun("Cannot find the last run: there has been none yet", "start one: grid run …");
  }
  const found = runsFrom(connection, name);
  const exact = found.find((run) => run === name) ?? named;
  const [only, ...more] = exact === undefined ? found : [exact];
  if (only !== undefined && more.length === 0) return only;
  if (only === undefined) throw unknown(connection, { name, word });
  throw noRun(
    `Cannot tell which run "${name}" is: ${found.length} begin so`,
    `such as ${found.slice(-MOST_NAMED).join(", ")}`,
  );
}

interface Place {
  readonly name: string;
  /** How many runs before the newest. */
  readonly back: number;
}

/** Of the runs of this pipeline, or file, or of all for `last`. */
function runOfPipeline(connection: Connection, { name, back }: Place): string | undefined {
  return connection.read(() => {
    const row = connection.prepare(
      "SELECT run FROM runs WHERE ?1 = 'last' OR pipeline = ?1 OR file = ?1" +
        " ORDER BY id DESC LIMIT 1 OFFSET ?2",
    ).get(name, back);
    return row === undefined ? undefined : String(row["run"]);
  });
}

/** A range instead of LIKE: an underscore is an ordinary character here. */
function runsFrom(connection: Connection, prefix: string): string[] {
  return connection.read(() =>
    connection.prepare("SELECT run FROM runs WHERE run >= ? AND run < ? ORDER BY run")
      .all(prefix, `${prefix}\u{10FFFF}`).map((row) => String(row["run"]))
  );
}

function unknown(
  connection: Connection,
  { name, word }: { readonly name: string; readonly word: string },
): GridError {
  const about = `Cannot find run "${name}"`;
  if (runOfPipeline(connection, { name: word, back: 0 }) !== undefined) {
    return noRun(`${about}: "${word}" has not run so often`, "see: grid runs");
  }
  // Nodes name the runs of everybody.
  if (isRunId(name)) {
    return noRun(
      `${about}: this project has none of that id`,
      "whose it is, and of which project: grid queue; the runs of this one: grid runs",
    );
  }
  const near = nearest(word, allNames(connection));
  return noRun(
    `${about}: there is none, and no pipeline of that name has run`,
    near === undefined ? "see: grid runs" : `did you mean "${near}"? All are in: grid runs`,
  );
}

/** All that a run can be called by. */
function allNames(connection: Connection): string[] {
  const select = "SELECT pipeline AS name FROM runs UNION SELECT file FROM runs" +
    " UNION SELECT run FROM runs UNION SELECT 'last'";
  return connection.read(() =>
    // A command has no file.
    connection.prepareOnce(select).all().map(({ name }) => String(name)).filter((name) =>
      name !== ""
    )
  );
}

function noRun(message: string, hint: string): GridError {
  return new GridError({ code: "usage", message, hint });
}
