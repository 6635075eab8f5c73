/**
 * What every run needs beside its pipeline, brought in together: for each `import()` that names something new, Deno goes
 * through all that was loaded before it.
 */
import "../run_rooms.ts";
import "../terminal/log_line.ts";
import "./run_terminal.ts";
import "./watchdog.ts";
