#!/usr/bin/env bash
# Makes a worker machine of a Debian or Ubuntu: one command and one file.
#
#   sudo ./install.sh                                    from the unpacked tarball, from beside it, or from a clone
#   sudo ./install.sh --join lab2.join --service         and works for that coordinator from now on, also after a reboot
#
# Installs libzmq and SQLite by apt-get; takes the program from the unpacked tarball that this script lies in, from
# groksweep-*-linux-ARCH.tar.gz beside it, or builds it in a clone where Swift is; then has the program train a tiny model
# whose digest is known. Elsewhere than on Debian it names the packages. Running it again replaces what was there.
#
#   --prefix DIR    where to (default /usr/local)
#   --join FILE     a worker's join file, of `groksweep keys new NAME`; goes to /etc/groksweep/NAME.join, for the service alone
#   --service       systemd keeps workers for the join file running: groksweep-worker@NAME
set -euo pipefail

prefix=/usr/local
join=
service=
say() { echo "install: $*" >&2; }
fail() {
  say "$*"
  exit 1
}
usage() {
  say "$*"
  sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
  exit 64
}
while [ "$#" -gt 0 ]; do
  case "$1" in
    --prefix | --join)
      [ "$#" -ge 2 ] || usage "$1 wants a value"
      if [ "$1" = --prefix ]; then prefix=$2; else join=$2; fi
      shift
      ;;
    --service) service=yes ;;
    *) usage "unknown: $1" ;;
  esac
  shift
done
case "$prefix" in /*) ;; *) usage "--prefix $prefix: give a whole path" ;; esac
[ -z "$service" ] || [ -n "$join" ] || usage "--service wants the join file of a worker: --join FILE"
[ -z "$join" ] || [ -f "$join" ] || fail "$join: no such file"

here=$(cd "$(dirname "$0")" && pwd)
machine=$(uname -m)
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

# 1. Libraries.
missing=()
has_library() { # NAME
  { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q "^[[:space:]]*$1 "
}
has_library libzmq.so.5 || missing+=(libzmq5)
has_library libsqlite3.so.0 || missing+=(libsqlite3-0)
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 \
    || fail "missing here: ${missing[*]} (Debian's names), and there is no apt-get; install libzmq 4.3 and SQLite 3.37 or later, then run this again"
  [ "$(id -u)" -eq 0 ] || fail "missing here: ${missing[*]}; run this as root, or first: sudo apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
fi

# 2. The program.
tarballs=("$here"/groksweep-*-linux-"$machine".tar.gz)
if [ -x "$here/bin/groksweep" ]; then
  tree=$here
elif [ -f "${tarballs[0]}" ]; then
  [ "${#tarballs[@]}" -eq 1 ] || fail "several tarballs here, keep one: ${tarballs[*]}"
  work=$(mktemp -d)
  tar -xzf "${tarballs[0]}" -C "$work"
  tree=$(echo "$work"/groksweep-*)
elif [ -f "$here/../Package.swift" ] && command -v swift >/dev/null 2>&1; then
  say "building in $(cd "$here/.." && pwd); this takes some minutes"
  make -C "$here/.." install PREFIX="$prefix"
  tree=
else
  fail "nothing to install: lay groksweep-VERSION-linux-$machine.tar.gz beside this script (make dist makes it), or run it in a clone on a machine with Swift"
fi
if [ -n "$tree" ]; then
  (cd "$tree" && sha256sum --check --quiet SHA256SUMS) || fail "what was unpacked is not what was packed: copy the tarball again"
  install -d "$prefix/bin" || fail "no permission to write in $prefix; run this as root, or give --prefix"
  # A program that runs is not written over, but replaced.
  install -m 755 "$tree/bin/groksweep" "$prefix/bin/.groksweep.new"
  mv "$prefix/bin/.groksweep.new" "$prefix/bin/groksweep"
  cp -R "$tree/share" "$prefix/"
fi
program=$prefix/bin/groksweep

# 3. Does it run, and compute what it should? The digest is in the program, the same on every machine.
"$program" version >/dev/null || fail "$program does not run here; why stands above (a C library that is older than where it was built?)"
"$program" version --self-test || fail "this machine must not take part; check its memory and that nobody overclocked it"

# 4. The way to its coordinator.
if [ -n "$join" ]; then
  [ "$(id -u)" -eq 0 ] || fail "the join file goes to /etc/groksweep: run this as root"
  name=$(basename "$join" .join)
  case "$name" in *[!A-Za-z0-9_.-]* | '' | -* | .*) fail "$join: name it as in lab2.join, with letters, digits, -, _ and ." ;; esac
  id groksweep >/dev/null 2>&1 \
    || useradd --system --home-dir /var/lib/groksweep --shell /usr/sbin/nologin --comment "groksweep workers" groksweep
  install -d -m 755 /etc/groksweep
  install -m 600 -o groksweep -g groksweep "$join" "/etc/groksweep/$name.join"
  say "/etc/groksweep/$name.join: for the user groksweep alone"
fi
if [ -n "$service" ]; then
  command -v systemctl >/dev/null 2>&1 || fail "there is no systemd here; start it by hand: $program worker --join FILE"
  for unit in groksweep-worker@.service groksweep-coordinator.service; do
    source=$prefix/share/groksweep/cluster/systemd/$unit
    sed "s,/usr/local/bin/,$prefix/bin/," "$source" >"/etc/systemd/system/$unit"
  done
  systemctl daemon-reload
  systemctl enable --now "groksweep-worker@$name"
  say "workers run: systemctl status groksweep-worker@$name, journalctl -u groksweep-worker@$name"
fi
say "done: $program"
