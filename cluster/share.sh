#!/usr/bin/env bash
# Puts what belongs beside the program under PREFIX: completions, man page, ready sweep files, units and scripts, docs.
# Called by `make install` and by cluster/dist.sh, from the top of the clone. PROGRAM has to run on this machine.
#
#   cluster/share.sh PROGRAM PREFIX
set -euo pipefail

program=$1
prefix=$2
share=$prefix/share

install -d "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d" \
  "$share/man/man1" "$share/groksweep/configs" "$share/groksweep/cluster" "$share/doc/groksweep"
"$program" --generate-completion-script bash >"$share/bash-completion/completions/groksweep"
"$program" --generate-completion-script zsh >"$share/zsh/site-functions/_groksweep"
"$program" --generate-completion-script fish >"$share/fish/vendor_completions.d/groksweep.fish"
if command -v python3 >/dev/null 2>&1; then
  version=$("$program" version | sed -n '1s/^groksweep //p')
  when=$(git log -1 --format=%ct 2>/dev/null || date +%s)
  "$program" --experimental-dump-help \
    | python3 cluster/man-page.py "$version" "$(LC_ALL=C date -u -d "@$when" '+%B %-d, %Y')" >"$share/man/man1/groksweep.1"
else
  echo "share: no python3 here, so no man page; groksweep help has the same words" >&2
fi
install -m 644 configs/*.yaml "$share/groksweep/configs/"
for folder in slurm systemd container kubernetes; do
  install -d "$share/groksweep/cluster/$folder"
  install -m 644 cluster/"$folder"/* "$share/groksweep/cluster/$folder/"
done
install -m 644 cluster/hosts.yaml "$share/groksweep/cluster/"
install -m 644 README.md LICENSE CHANGELOG.md "$share/doc/groksweep/"
chmod 644 "$share"/bash-completion/completions/groksweep "$share"/zsh/site-functions/_groksweep \
  "$share"/fish/vendor_completions.d/groksweep.fish
