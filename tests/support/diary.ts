/** What Grid's diary says while a test runs. */
import { configureLog, type LogLevel, type LogRecord } from "../../src/core/log.ts";

export interface Diary extends Disposable {
  /** One line per record, as a person would read it. */
  readonly lines: readonly string[];
}

export function keepDiary(level: LogLevel = "warn"): Diary {
  const lines: string[] = [];
  const sink = ({ message }: LogRecord) => void lines.push(message.map(String).join(""));
  configureLog({ level, sink });
  return {
    lines,
    [Symbol.dispose]: () => configureLog({ level: "error", sink: () => {} }),
  };
}
