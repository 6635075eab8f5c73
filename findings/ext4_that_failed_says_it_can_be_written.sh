#!/usr/bin/env bash
# An ext4 file system that has shut itself down after an error looks writable to all who ask.
#
# After a fault of its disk ext4 goes read-only by itself. On older kernels that set the mount's read-only flag, so that
# access(W_OK), `[ -w ]`, the options in /proc/self/mounts and statvfs's ST_RDONLY said so. Now the flag stays as it
# was: every write fails with EROFS ("Read-only file system"), while access(2) and `[ -w ]` say yes, and the mount
# is still listed as `rw`. Only another word in that list, `emergency_ro`, tells. A check of health that asks
# whether a folder can be written takes such a disk for a good one; it has to write, or to read the list.
#
# Seen with Linux 6.18, e2fsprogs 1.47.0 (Debian 12), on a file with ext4 in it, of which `mount -o remount,abort` is
# the kernel's own way to play the fault. It needs root, loop devices and mkfs.ext4; earlier kernels fail it.
set -euo pipefail
folder=$(mktemp -d)
mkdir "$folder/at"
trap 'umount "$folder/at" 2>/dev/null || :; rm -rf "$folder"' EXIT
truncate -s 8M "$folder/disk"
mkfs.ext4 -q "$folder/disk"
mount -o loop "$folder/disk" "$folder/at"
mount -o remount,abort "$folder/at"
can=no
[ ! -w "$folder/at" ] || can=yes
said=$(LC_ALL=C touch "$folder/at/file" 2>&1) && wrote=yes || wrote=no
options=$(grep " $folder/at " /proc/self/mounts | cut -d ' ' -f 4)
uname -r
echo "can be written: $can; was: $wrote (${said##*: }); mounted with: $options"
[ "$can" = yes ] && [ "$wrote" = no ] && case $options in rw,*emergency_ro*) ;; *) exit 1 ;; esac
