/** The one door to zod, so that another library would touch this folder only. */
export { z } from "zod";
