import assert from "node:assert/strict";
import { splicesOf } from "../../../src/script/splice.ts";
import { asScript } from "../../support/spliced_scripts.ts";

/** Scripts as people write them, with all that a careless reader of shell stumbles over. */
const SCRIPTS = [
  'while read -r l; do echo "$l"; done < <(cmd @)\necho @',
  "find . \\( -name a -o -name b \\) -exec rm {} \\; ; echo @",
  'a=( $(ls) "$x" \'y z\' ); echo "${#a[*]}" @',
  'declare -A m=([k]=v ["a b"]=w [$k]=z); m[x]=1; echo ${m[k]} @',
  "if ((x > 1)); then echo @; fi",
  "cmd |& tee log; echo @ >&2",
  "cat > f <<EOF\na @ $HOME ${X:-y} $(date) \\$z\nEOF\necho @",
  "python - <<'PY'\nimport os\nprint('it', \"x\", @)\nPY\necho @",
  "awk '{print $1}' f | sort -u | head -n @",
  "[[ $x =~ ^[a-z]+(foo|bar)$ ]] && echo @",
  'f() {\n  local x=@\n  echo "${x//a/b}" "${x^^}" "${x%.*}" ${x:0:3}\n}\nf @',
  'set -euo pipefail\nexport A=1 B="$A"\nsource ./env.sh\n. ./x @\n',
  'case "$1" in\n  a|b) echo @ ;;\n  *.txt) ;;\n  "x y") echo @;;\nesac\necho @',
  "case @ in\n(a) echo 1;;\nesac && echo @",
  'x=${1:-$(date +%s)}; y="${2:?need "it"}"; echo @',
  "echo $(( $(nproc) / 2 )) @",
  "for ((i=0; i<@; i++)); do echo $i; done",
  "kill -9 $! || true; wait $!; echo $? $$ $# @",
  'curl -H \'Content-Type: x\' -d "{\\"a\\": \\"@\\"}" http://h/@?x=1&y=2',
  "echo 'single' \"dq's\" # don't\necho @",
  'python train.py \\\n  --epochs @ \\\n  --name "@" # it\'s\n',
  "(cd x && make @) || { echo bad @; exit 1; }",
  'test -n "`which x`" && echo `date` @',
  "trap 'rm -rf \"$d\"' EXIT INT; echo @",
  "nohup python x.py --a=@ > out.log 2>&1 &\necho $! > pid; echo @",
  'if ! grep -q "^@$" f; then echo @ >> f; fi',
  "rsync -e 'ssh -p 22' @ host:@",
  'git commit -m "run: bash -c @"',
  "echo a{1,2}b {1..3} @",
  "echo $'tab\\t' @",
  "sudo -u me python x.py @",
  "ls -l [a-z]* @",
  "mapfile -t lines < <(ls); echo @",
  '[ -z "$X" ] && [ @ -gt 3 ] || echo no @',
  "srun --gres=gpu:1 python t.py @",
  "x=\"$(cat <<'E'\nit's\nE\n)\"; echo @",
  "function g { echo @; }; g",
  'echo "a $(echo "b $(echo "c @")")" @',
  "{ echo @; } | tee x",
  "until ping -c1 h; do sleep @; done",
  "ssh -o BatchMode=yes @ 'uptime'; echo @",
];

for (const script of SCRIPTS) {
  Deno.test(`a value may stand in ${JSON.stringify(script)}`, () => {
    const refused = splicesOf(asScript(script)).flatMap(({ hole }) => hole.refusal?.message ?? []);
    assert.deepEqual(refused, []);
  });
}
