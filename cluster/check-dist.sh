#!/usr/bin/env bash
# Shows that the tarball is all that a machine needs: makes a bare Debian by debootstrap, installs into it as a person would,
# and has a worker in there join a coordinator out here. The rows have to be those that this machine gives alone.
#
#   cluster/check-dist.sh groksweep-VERSION-linux-ARCH.tar.gz [PROGRAM]
#
# Needs root, debootstrap, and Debian's mirror (MIRROR, SUITE); PROGRAM (.build/release/groksweep) coordinates. `make check-dist`.
set -euo pipefail

tarball=$1
program=${2:-.build/release/groksweep}
suite=${SUITE:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
for command in debootstrap unshare chroot sqlite3; do
  command -v "$command" >/dev/null 2>&1 || { echo "check-dist: there is no $command here" >&2; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo "check-dist: only root may make a root" >&2; exit 1; }

work=$(mktemp -d)
coordinator=
finish() {
  [ -z "$coordinator" ] || kill "$coordinator" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
root=$work/root

echo "check-dist: a bare $suite by debootstrap" >&2
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 \
  || { tail -5 "$work/debootstrap.log" >&2; exit 1; }
# In a mount namespace of its own, so that nothing stays mounted, however this ends.
# shellcheck disable=SC2016  # What stands in single quotes is for the shell in there.
inside() {
  unshare --mount sh -c 'root=$1; shift; mount -t proc proc "$root/proc" && exec chroot "$root" "$@"' sh "$root" "$@"
}
if inside sh -c 'command -v swift || ls -d /usr/lib/*/libzmq* /usr/lib/*/libsqlite3* /usr/lib/*/libswift* | grep .' 2>/dev/null; then
  echo "check-dist: that is there already, so this would show nothing" >&2
  exit 1
fi
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
install -d "$root/root/new"
cp "$tarball" "$root/root/new/"
inside sh -c 'cd /root/new && tar -xzf groksweep-*.tar.gz'

cat >"$work/sweep.yaml" <<'SWEEP'
sweep: check
task: {modulus: 13, train_fraction: 0.6}
model: {d_model: 16, heads: 4, d_mlp: 32}
training: {epochs: 2000}
measure: {evaluate_every: 500}
axes:
  training.weight_decay: [1, 2]
  seed: {count: 2}
SWEEP
"$program" keys new there --keys "$work/keys" -o "$work/there.join" >/dev/null 2>&1
"$program" coordinator "$work/sweep.yaml" --store "$work/there.sqlite" --bind tcp://127.0.0.1:0 --keys "$work/keys" \
  --exit-when-done 2>"$work/coordinator.log" &
coordinator=$!
for _ in $(seq 600); do
  address=$(sed -n 's/.*listening on \(tcp:[^ ,;]*\).*/\1/p' "$work/coordinator.log")
  [ -z "$address" ] || break
  sleep 0.1
done
[ -n "$address" ] || { cat "$work/coordinator.log" >&2; exit 1; }

cp "$work/there.join" "$root/root/new/"
echo "check-dist: install.sh in there" >&2
inside sh -c 'exec /root/new/groksweep-*/install.sh --join /root/new/there.join'
# shellcheck disable=SC2016
inside sh -c 'for file in bash-completion/completions/groksweep zsh/site-functions/_groksweep \
  fish/vendor_completions.d/groksweep.fish man/man1/groksweep.1 doc/groksweep/licenses/swift/LICENSE.txt; do
  test -s "/usr/local/share/$file" || { echo "missing: $file" >&2; exit 1; }; done'
echo "check-dist: a worker in there, a coordinator out here" >&2
# As the service would be, by the user who may read the join file.
inside setpriv --reuid groksweep --regid groksweep --clear-groups env HOME=/tmp /usr/local/bin/groksweep worker \
  --connect "$address" --join /etc/groksweep/there.join --slots 1 --scratch /tmp/scratch
wait "$coordinator"
coordinator=

"$program" sweep "$work/sweep.yaml" --store "$work/here.sqlite" --workers 1 2>/dev/null
rows() { sqlite3 "$1" "SELECT point, digest, outcome, epochs FROM runs ORDER BY point"; }
diff <(rows "$work/here.sqlite") <(rows "$work/there.sqlite")
[ "$(rows "$work/there.sqlite" | wc -l)" -eq 4 ]
echo "check-dist: 4 points trained in there, with the digests that they have here"
