# A password manager keeps the private key in its agent, among many others; the configuration names the
# public half. `ssh` gets in, whether the file is named by IdentityFile or by key_file.
# nodes: 1
# home: fresh
set -eu
mkdir -m 700 ~/.ssh
cp "$LAB_KEY.pub" ~/.ssh/work.pub
eval "$(ssh-agent -s)" >/dev/null
trap 'kill "$SSH_AGENT_PID"' EXIT
for number in 1 2 3 4 5 6 7 8; do ssh-keygen -q -t ed25519 -N '' -f "other$number"; done
ssh-add -q other? "$LAB_KEY"
cat >~/.ssh/config <<END
Host gpu
  HostName $LAB_HOST
  Port $LAB_PORT
  User $LAB_USER
  IdentityFile ~/.ssh/work.pub
  IdentitiesOnly yes
  UserKnownHostsFile $LAB_KNOWN_HOSTS
END
cat >config/cluster_config.yaml <<END
nodes:
  - gpu
  - { name: box, host: $LAB_HOST, port: $LAB_PORT, user: $LAB_USER, key_file: ~/.ssh/work.pub, known_hosts: $LAB_KNOWN_HOSTS }
END
ssh -n -o BatchMode=yes gpu true || { echo "ssh itself does not get in"; exit 1; }
for node in gpu box; do
  grid run 'echo in' --node "$node" | grep -qx in || { echo "$node is not reached"; exit 1; }
done
