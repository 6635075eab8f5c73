#!/bin/sh
# Podman 4.3.1, rootless: told to end, the first `podman run` of an account exits with 0 at once, whatever
# the container's code; the container is told or goes on, as it happens.
#
# Where no pause process of the account lives yet, `podman run` makes the account's user namespace and runs
# itself once more inside: two processes. SIGTERM ends the one that was started, with code 0, before the
# container has ended. Of six first runs the container was told in four, and went on in two. With the pause
# process there `podman run` is one process: it hands the signal on, waits, and has the container's own code.
# So whoever supervises `podman run` by its process sees a success, but only the first time after a restart.
# `podman unshare true` before makes every run a later one.
#
# Seen with Debian 12's packages on amd64, runtime runc 1.1.5. As root: unpacks them in a temporary folder,
# runs them as the account `nobody` with one static image, and fails if the behaviour has changed. It needs
# a kernel that lets accounts make user namespaces.
set -eu

folder=$(mktemp -d)
# The account's call takes the place of the shell: who tells it to end tells podman.
cat >"$folder/as_account" <<CALL
#!/bin/sh
exec setpriv --reuid 65534 --regid 65534 --clear-groups env -i HOME="$folder/home" \\
  XDG_RUNTIME_DIR="$folder/xdg" PATH="$folder/usr/bin:$folder/usr/sbin:/usr/bin:/bin" \\
  CONTAINERS_CONF="$folder/containers.conf" CONTAINERS_STORAGE_CONF="$folder/storage.conf" "\$@"
CALL
chmod 755 "$folder/as_account"
end_account() {
  "$folder/as_account" podman rm -af -t 0 >/dev/null 2>&1 || true
  pause=$(cat "$folder/xdg/libpod/tmp/pause.pid" 2>/dev/null) || return 0
  kill -9 "$pause" 2>/dev/null || true
  rm -f "$folder/xdg/libpod/tmp/pause.pid"
}
trap 'end_account; rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -qq podman=4.3.1+ds1-8+deb12u1+b3 conmon=2.1.6+ds1-1 runc=1.1.5+ds1-1+deb12u1 catatonit=0.1.7-1+b2 \
  golang-github-containers-common=0.50.1+ds1-4 busybox-static=1:1.35.0-4+deb12u1+b1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" .; done

mkdir -p home xdg store image/bin image/proc image/dev image/tmp image/etc home/.config/containers
cp bin/busybox image/bin/busybox 2>/dev/null || cp usr/bin/busybox image/bin/busybox
for name in sh sleep echo; do ln -s busybox "image/bin/$name"; done
tar -C image -cf image.tar .
cat >storage.conf <<CONF
[storage]
driver = "vfs"
runroot = "$folder/store/run"
graphroot = "$folder/store/graph"
[storage.options]
ignore_chown_errors = "true"
CONF
cat >containers.conf <<CONF
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
conmon_path = ["$folder/usr/bin/conmon"]
[engine.runtimes]
runc = ["$folder/usr/sbin/runc"]
[containers]
netns = "none"
init_path = "$folder/usr/bin/catatonit"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
CONF
echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >home/.config/containers/policy.json
chown -R 65534:65534 home xdg store
chmod 700 xdg

"$folder/as_account" podman --version
"$folder/as_account" podman import -q image.tar localhost/small:1 >/dev/null 2>&1

# Starts a container that saves its work when told to end, tells `podman run` to end, and prints its code,
# and whether the container is there a second later.
told_to_end() { # name
  "$folder/as_account" podman run --init --name "$1" localhost/small:1 \
    sh -c 'trap "echo saved; exit 9" TERM; echo up; while :; do sleep 0.1; done' >"$1.out" 2>"$1.err" &
  client=$!
  tries=0
  while ! grep -qs up "$1.out" && [ "$tries" -lt 100 ]; do sleep 0.1 && tries=$((tries + 1)); done
  kill -TERM "$client"
  code=0
  wait "$client" || code=$?
  sleep 1
  running=$("$folder/as_account" podman ps -q --filter "name=$1" 2>/dev/null | wc -l)
  echo "$code $running $(tr '\n' ' ' <"$1.out")"
}

end_account
first=$(told_to_end first)
echo "the first run of the account: code, containers that go on, output: $first"
"$folder/as_account" podman rm -af -t 0 >/dev/null 2>&1
"$folder/as_account" podman unshare true
later=$(told_to_end later)
echo "a later one:                  code, containers that go on, output: $later"
case $first in 0\ *) [ "$later" = '9 0 up saved ' ] ;; *) exit 1 ;; esac
