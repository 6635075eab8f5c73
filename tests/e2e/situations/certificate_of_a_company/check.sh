# The servers know no keys, only the company's certificate authority; the certificate lies beside the key.
# Grid's own SSH cannot use it, so ssh is asked by itself, with one line that says so.
# nodes: 1
# home: fresh
set -eu
mkdir -m 700 ~/.ssh
ssh-keygen -q -t ed25519 -N '' -f authority
ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
ssh-keygen -q -s authority -I me -n "$LAB_USER" ~/.ssh/id_ed25519.pub
# A key with `cert-authority` before it is an authority's.
{ printf 'cert-authority '; cat authority.pub; } >"$LAB_KEY.pub"
cat >config/cluster_config.yaml <<END
nodes:
  - { name: gpu, host: $LAB_HOST, port: $LAB_PORT, user: $LAB_USER, known_hosts: $LAB_KNOWN_HOSTS }
END
grid run 'echo in' --node gpu >out 2>err || { cat out err; exit 1; }
grep -qx in out
grep -q 'reached with your own ssh: .*certificate' err
