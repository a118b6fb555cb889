#!/usr/bin/env bash
# Starts groksweep workers on other machines over ssh, for a coordinator on this one, and stops them with Ctrl-C.
#
#   groksweep coordinator configs/weight-decay.yaml --store wd.sqlite --bind tcp://127.0.0.1:5555 &
#   cluster/workers-over-ssh.sh 5555 ada:8 grace.example.org
#
# PORT is the coordinator's; each HOST may name its slots (HOST:SLOTS; without, one per core there). groksweep must be
# installed there (make install). Coordinators of this version listen on loopback only, so each connection carries a
# reverse tunnel: the worker speaks to 127.0.0.1:PORT on its own machine, and ssh encrypts what goes through.
# Set GROKSWEEP (the command there) and SSH (the ssh command here, with options) to change either.
set -euo pipefail

if [ "$#" -lt 2 ]; then
  echo "usage: $0 PORT HOST[:SLOTS]..." >&2
  exit 64
fi
port=$1
shift
case "$port" in
  '' | *[!0-9]*)
    echo "$0: \"$port\" is not a port number" >&2
    exit 64
    ;;
esac
ssh_command=${SSH:-ssh}
groksweep=${GROKSWEEP:-groksweep}

children=()
stop() {
  trap - INT TERM EXIT
  [ "${#children[@]}" -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
  wait
}
trap stop INT TERM EXIT

for entry in "$@"; do
  host=${entry%%:*}
  slots=()
  [ "$entry" = "$host" ] || slots=(--slots "${entry#*:}")
  # -tt gives the remote worker a terminal whose loss ends it: closing the connection stops the worker in good order,
  # and its points go back to the sweep.
  # shellcheck disable=SC2086  # SSH and GROKSWEEP may carry options.
  $ssh_command -tt -o BatchMode=yes -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 \
    -R "127.0.0.1:$port:127.0.0.1:$port" "$host" \
    $groksweep worker --connect "tcp://127.0.0.1:$port" "${slots[@]}" </dev/null 2>&1 | sed -u "s/^/$host: /" &
  children+=("$!")
  echo "started workers on $host" >&2
done
# A host that fails does not stop the others.
for child in "${children[@]}"; do wait "$child" || true; done
