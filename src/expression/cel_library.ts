/** The one door to the package that reads and evaluates expressions. */
export {
  type ASTNode,
  Environment,
  type ParseResult,
  type TypeCheckResult,
} from "npm:@marcbachmann/cel-js@8.0.0";
