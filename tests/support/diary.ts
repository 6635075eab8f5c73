/** What Grid's diary says while a test runs. */
import { configureLog, type LogLevel, type LogRecord } from "../../src/core/log.ts";

export interface Diary extends AsyncDisposable {
  /** One line per record, as a person would read it. */
  readonly lines: readonly string[];
}

export async function keepDiary(level: LogLevel = "warn"): Promise<Diary> {
  const lines: string[] = [];
  const sink = ({ message }: LogRecord) => void lines.push(message.map(String).join(""));
  await configureLog({ level, sink });
  return {
    lines,
    [Symbol.asyncDispose]: () => configureLog({ level: "error", sink: () => {} }),
  };
}
