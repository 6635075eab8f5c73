#!/bin/sh
# Starts an installed Grid with the Deno that came with it, from any folder, whatever lies there.
# `exec` keeps the process id: a signal sent to what was started reaches Grid itself.
fail() {
  printf 'Cannot start grid: %s\nhint: %s\n' "$1" "$2" >&2
  exit 70
}

self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -L "$self" ]; do # not every system has `readlink -f`
  link=$(readlink -- "$self") || exit 70
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
done
home=$(CDPATH='' cd -- "${self%/*}/.." && pwd -P) || exit 70

# The nearest node_modules at or above folder $1 that holds $2, as Node looks for packages.
find_package() {
  at=$1
  while :; do
    package=$at/node_modules/$2
    [ ! -d "$package" ] || return 0
    [ -n "$at" ] || return 1
    at=${at%/*}
  done
}

deno=$home/runtime/deno
if [ ! -x "$deno" ]; then
  # One is there, as npm chose it; only a folder shared by several kinds of machine has more.
  found=
  for platform in linux-x64-glibc linux-arm64-glibc darwin-x64 darwin-arm64; do
    find_package "$home" "@deno/$platform" && found="$found $platform"
  done
  case $found in
    ' '*' '*)
      case $(uname -s -m) in
        'Linux x86_64') platform=linux-x64-glibc ;;
        'Linux aarch64' | 'Linux arm64') platform=linux-arm64-glibc ;;
        'Darwin x86_64') platform=darwin-x64 ;;
        *) platform=darwin-arm64 ;;
      esac
      ;;
    *) platform=${found# } ;;
  esac
  if [ -z "$platform" ] || ! find_package "$home" "@deno/$platform"; then
    fail "its Deno for $(uname -s -m) is not installed beside it" \
      'install Grid again, without --omit=optional, on Linux with glibc or macOS'
  fi
  deno=$package/deno
  [ -x "$deno" ] || fail "$deno cannot be executed" 'install Grid again'
fi
# What Deno compiles lies with the installation and goes with it, not in the account's home. Where
# nothing may be written there, it lies where Deno keeps such things for every program. An account
# without a home has no such place, and Deno does without.
if [ -z "${DENO_DIR:-}" ]; then
  cache=$home/cache
  if [ -w "$cache" ] || [ -z "${HOME:-}" ] || { [ ! -e "$cache" ] && [ -w "$home" ]; }; then
    export DENO_DIR="$cache"
  fi
fi
exec "$deno" run --v8-flags=--min-semi-space-size=12,--max-semi-space-size=12,--heap-growing-percent=40,--no-lazy --quiet --allow-all --no-config --no-lock \
  --node-modules-dir=manual \
  "$home/src/cli/main.js" "$@"
