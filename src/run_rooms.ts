/** What every run needs of what lies below the command line, for who loads it together. */
import "./grid.ts";
import "./grid_run.ts";
import "./steps/run.ts";
