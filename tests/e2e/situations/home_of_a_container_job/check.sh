# Hosted CI runs a container's job as root with another HOME, and keys and configuration are put there.
# `ssh` looks into /root/.ssh and finds nothing. Grid takes those of $HOME, with one line that says so.
# nodes: 1
# home: fresh
set -eu
HOME=$PWD/home
export HOME
mkdir -p "$HOME"
mkdir -m 700 "$HOME/.ssh"
cp "$LAB_KEY" "$HOME/.ssh/id_ed25519"
cp "$LAB_KNOWN_HOSTS" "$HOME/.ssh/known_hosts"
printf 'Host gpu\n  HostName %s\n  Port %s\n  User %s\n' "$LAB_HOST" "$LAB_PORT" "$LAB_USER" >"$HOME/.ssh/config"
for transport in ssh openssh; do
  echo "nodes: [{ name: gpu, transport: $transport }]" >config/cluster_config.yaml
  grid run 'echo in' --node gpu >out 2>err || { cat out err; exit 1; }
  grep -qx in out
  grep -q 'keys and configuration are taken from' err
  [ "$(grep -c . err)" -ge 1 ]
done
