#!/usr/bin/env bash
# Runs Node with Debian 13's C library beside the system's own, so that the uWebSockets.js binary (glibc >= 2.38)
# loads on Debian 12 (2.36). Nothing is installed: three packages are unpacked into cache/debian13, fetched by apt
# with a source list of its own and checked with Debian's archive key.
#
#   signaling/io/with-debian13-libc.sh file.ts ...      process.execPath is the loader: worker threads only, no fork
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
cache=${NHIPCAU_TEST_LIBC_CACHE:-$root/cache/debian13}
node=$(readlink -f "$root/node_modules/.bin/node")

case $(uname -m) in
  x86_64) triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 ;;
  aarch64) triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;;
  *) echo "with-debian13-libc: no packages for $(uname -m)" >&2; exit 78 ;;
esac

fetch() {
  local work=$cache.partial
  rm -rf "$work" && mkdir -p "$work"/{lists/partial,archives/partial,deb,root}
  local mirror
  mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n1 | tr -d ' ' || true)
  [ -n "$mirror" ] || { echo 'with-debian13-libc: no Debian mirror in the apt sources of this machine' >&2; exit 78; }
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
  local options=(-qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::Archives=$work/archives"
    -o APT::Sandbox::User=root -o Acquire::Languages=none)
  echo 'with-debian13-libc: fetching libc6, libstdc++6 and libgcc-s1 of Debian 13 (once, about 4 MB)' >&2
  apt-get "${options[@]}" update
  (cd "$work/deb" && apt-get "${options[@]}" download libc6 libstdc++6 libgcc-s1)
  for package in "$work"/deb/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  rm -rf "$cache" && mv "$work/root" "$cache" && rm -rf "$work"
}

libraries=$cache/usr/lib/$triplet
[ -x "$libraries/$loader" ] || fetch
exec "$libraries/$loader" --library-path "$libraries" "$node" --disable-warning=ExperimentalWarning "$@"
