/** The engine behind `pattern.ts`; a file of its own, since it takes 20 ms to load. */
export { RE2JS, RE2JSSyntaxException } from "npm:re2js@2.10.0";
