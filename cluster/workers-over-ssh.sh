#!/usr/bin/env bash
# Starts groksweep workers on other machines over ssh, for a coordinator on this one, and stops them with Ctrl-C.
#
#   groksweep coordinator configs/weight-decay.yaml --store wd.sqlite --bind tcp://127.0.0.1:5555 &
#   cluster/workers-over-ssh.sh 5555 ada:8 grace.example.org
#
# PORT is the coordinator's; each HOST may name its slots (HOST:SLOTS; without, one per core there). groksweep must be
# installed there (make install). Each connection carries a reverse tunnel: the worker speaks to 127.0.0.1:PORT on its
# own machine, and ssh encrypts what goes through. Machines that reach each other's ports can do with keys instead:
# docs/how-to/keys.md.
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

# Each ssh reads from a pipe that this script holds open, for the one byte that it ever sends: Ctrl-C.
pipes=$(mktemp -d)
children=()
inputs=()

# Ctrl-C goes to the remote terminals and the connections stay up until the workers have handed their points back.
# A second one, or another signal, cuts them: the workers still checkpoint, but their leases have to run out.
stop() { # EXIT-CODE
  trap 'kill "${children[@]}" 2>/dev/null || true' HUP INT TERM
  trap - EXIT
  local input
  for input in "${inputs[@]}"; do printf '\003' >&"$input" || true; done
  # Interrupted by a signal, wait returns early: once more for those that have been cut.
  wait "${children[@]}" || wait || true
  rm -rf "$pipes"
  exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop "$?"' EXIT
trap '' PIPE

for entry in "$@"; do
  host=${entry%%:*}
  slots=()
  [ "$entry" = "$host" ] || slots=(--slots "${entry#*:}")
  pipe=$pipes/${#children[@]}
  mkfifo "$pipe"
  # -tt gives the remote worker a terminal whose loss ends it, should this script be killed or the connection break.
  # Output goes to sed by a process substitution: of a pipe, $! would be sed's.
  # shellcheck disable=SC2086  # SSH and GROKSWEEP may carry options.
  $ssh_command -tt -o BatchMode=yes -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 \
    -R "127.0.0.1:$port:127.0.0.1:$port" "$host" \
    $groksweep worker --connect "tcp://127.0.0.1:$port" "${slots[@]}" \
    <"$pipe" > >(sed -u "s/^/$host: /") 2>&1 &
  children+=("$!")
  exec {input}>"$pipe"
  inputs+=("$input")
  echo "started workers on $host" >&2
done
rm -rf "$pipes"
# A host that fails does not stop the others.
for child in "${children[@]}"; do wait "$child" || true; done
