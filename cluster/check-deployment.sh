#!/usr/bin/env bash
# Checks what puts groksweep on machines as far as that goes without those machines: units by systemd, manifests and the
# compose file by their schemas, the Containerfile and the scripts by their linters. What is not installed is left out, with
# a line that says so. `make check-deployment`, from the top of the clone.
#
#   cluster/check-deployment.sh BIN      a folder with kubernetes-validate, check-jsonschema and hadolint (Tests/Deployment)
set -euo pipefail

tools=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checked() { echo "check-deployment: $*"; }

if command -v systemd-analyze >/dev/null 2>&1; then
  # An instance needs a name, and the program has to be where the unit says; otherwise as they are.
  for unit in groksweep-worker@ groksweep-coordinator; do
    name=${unit/%@/@lab}.service
    sed -e 's,/usr/local/bin/groksweep,/bin/true,' -e '/^Documentation=/d' "cluster/systemd/$unit.service" >"$work/$name"
    systemd-analyze verify "$work/$name"
    # 0 is a service that can do nothing, 10 one that can do all; 1.3 when this was written.
    systemd-analyze security --offline=true --threshold=20 "$work/$name" | tail -1 | sed 's/^[^O]*/check-deployment: /'
  done
else
  checked "left out: the units (no systemd-analyze)"
fi
for file in namespace coordinator workers network; do
  "$tools/kubernetes-validate" --strict --quiet "cluster/kubernetes/$file.yaml"
done
checked "cluster/kubernetes: valid"
"$tools/check-jsonschema" --quiet --builtin-schema vendor.compose-spec cluster/container/compose.yaml
checked "cluster/container/compose.yaml: valid"
"$tools/hadolint" cluster/container/Containerfile
checked "cluster/container/Containerfile: nothing to complain of"
if command -v shellcheck >/dev/null 2>&1; then
  shellcheck cluster/*.sh cluster/slurm/*.sbatch
  checked "scripts: nothing to complain of"
else
  checked "left out: the scripts (no shellcheck)"
fi
