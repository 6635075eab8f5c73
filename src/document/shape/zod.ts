/** The one door to zod, so that another library would touch this folder only. */
import { z } from "npm:zod@4.6.7";

// Schemas run once or twice in a process: compiling each to a function costs more than it saves.
z.config({ jitless: true });

export { z };
