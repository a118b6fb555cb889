#!/usr/bin/env bash
# The kernels' bits on AVX-512, AVX2 and NEON: harness.c runs once on each and all lines must be the same.
#
# The NEON side is cross-compiled by Swift's own clang, with the flags that Swift's package manager gives it, and run
# under qemu. Both come from Debian's or Ubuntu's packages, installed when missing; where that cannot be done, a
# sentence says so and the test counts as skipped. KEEP=FOLDER leaves programs and outputs there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernels=$here/../../Sources/CKernels

skip() {
  echo "test-neon: skipped: $1"
  exit 0
}
die() {
  echo "test-neon: $1" >&2
  exit 1
}

[ "$(uname -m)" = x86_64 ] || skip "NEON is compared with AVX2 and AVX-512, and this machine is no x86-64"

missing=()
command -v qemu-aarch64 >/dev/null 2>&1 || missing+=(qemu-user)
command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 || missing+=(gcc-aarch64-linux-gnu)
[ -e /usr/aarch64-linux-gnu/include/stdio.h ] || missing+=(libc6-dev-arm64-cross)
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 || skip "missing here: ${missing[*]} (Debian's names), and there is no apt-get"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
    sudo -n true 2>/dev/null || skip "needs root once; run: sudo apt-get install ${missing[*]}"
  fi
  echo "test-neon: installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  { "${as_root[@]}" apt-get -qq update &&
    "${as_root[@]}" apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null; } ||
    skip "apt-get could not install ${missing[*]}"
fi

# The clang that builds the kernels lies beside the compiler of Swift.
clang=$(swiftc -print-target-info 2>/dev/null | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1/bin/clang|p')
[ -x "$clang" ] || clang=$(command -v clang) || die "no clang here; it comes with Swift"

if [ -n "${KEEP:-}" ]; then
  build=$KEEP
  mkdir -p "$build"
else
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
fi
flags=(-O2 -DSWIFT_PACKAGE=1 -fblocks -fPIC -fno-omit-frame-pointer -Wall -Wextra -Wno-psabi -I "$kernels/include")
sources=("$here/harness.c" "$kernels"/*.c)
"$clang" "${flags[@]}" "${sources[@]}" -o "$build/x86" -lm
"$clang" --target=aarch64-linux-gnu "${flags[@]}" -static "${sources[@]}" -o "$build/arm" -lm

# Prints what an instruction set gave for people, keeps the rest for the comparison.
run() { # SET COMMAND...
  local set=$1
  shift
  "$@" "$set" >"$build/$set.all" || die "the harness failed on $set"
  sed -n "s/^#/$set:/p" "$build/$set.all"
  grep -v '^#' "$build/$set.all" >"$build/$set"
}

sets=$("$build/x86")
[ -n "$sets" ] || die "this machine runs no x86 kernels: they need AVX2 and FMA"
for set in $sets; do run "$set" "$build/x86"; done
run neon qemu-aarch64 "$build/arm"

reference=${sets%%$'\n'*}
failed=0
for set in $sets neon; do
  cmp -s "$build/$reference" "$build/$set" && continue
  echo "$reference (-) and $set (+) differ:"
  diff -U 0 "$build/$reference" "$build/$set" | grep '^[-+][a-z]' | head -200 || true
  failed=1
done
[ "$failed" = 0 ] || exit 1

count=$(wc -l <"$build/neon")
names=$(cut -d ' ' -f 1 "$build/neon" | grep -vxE 'flush|train' | sort -u | wc -l)
echo "$count kernels × shapes ($names kernels) agree on ${sets//$'\n'/, }, neon"
