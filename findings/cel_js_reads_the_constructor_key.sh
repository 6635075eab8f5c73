#!/usr/bin/env bash
# cel-js takes a map with the key `constructor` for a value of an unknown type.
#
# The evaluator finds out what a JavaScript object is by its property `constructor`. A plain object out of
# JSON whose own key has that name hides the one that is meant, and then not only `m.constructor`, but every
# other key of that map is refused as well. The same map as a `Map` can be read. In a map literal the key is
# dropped without a word.
#
# Seen with @marcbachmann/cel-js 8.0.0 from npm; needs node and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit @marcbachmann/cel-js@8.0.0 >/dev/null
cat >look.mjs <<'END'
import { evaluate } from "@marcbachmann/cel-js";
const told = (expression, context) => {
  try {
    return String(evaluate(expression, context));
  } catch (error) {
    return error.message.split("\n")[0];
  }
};
const scores = JSON.parse('{ "constructor": "Ada", "loss": "low" }');
console.log(told("m.loss", { m: { builder: "Ada", loss: "low" } }));
console.log(told("m.loss", { m: scores }));
console.log(told("m.loss", { m: new Map(Object.entries(scores)) }));
console.log(told('size({"constructor": "Ada", "loss": "low"})', {}));
END
node look.mjs >seen
expect() { # line, what, wanted
  seen=$(sed -n "$1p" seen)
  printf '%-44s %s\n' "$2" "$seen"
  [ "$3" = "$seen" ] || { echo "CHANGED: was $3"; exit 1; }
}
expect 1 "a key of a map like any other" low
expect 2 "the same key beside one called constructor" "Unsupported type: object"
expect 3 "the same as a Map" low
expect 4 "size of a literal with two such keys" 1
