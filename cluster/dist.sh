#!/usr/bin/env bash
# Packs groksweep-VERSION-linux-ARCH.tar.gz: the program with Swift's runtime inside, and what a machine needs besides.
# Called by `make dist`, from the top of the clone.
#
#   cluster/dist.sh BINARY CHECKOUTS     the program built with --static-swift-stdlib; the sources of what is linked
set -euo pipefail

binary=$1
checkouts=$2
version=$(sed -n 's/^  static let version = "\(.*\)"$/\1/p' Sources/groksweep/Commands/VersionCommand.swift)
name=groksweep-$version-linux-$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name

install -D -m 755 "$binary" "$root/bin/groksweep"
strip "$root/bin/groksweep"
# Everything of Swift's has to be inside; the rest is on every machine that has libzmq5 and libsqlite3-0.
needed=$(readelf --dynamic "$root/bin/groksweep" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
if others=$(grep -vE '^(libzmq\.so\.5|libsqlite3\.so\.0|lib(c|m)\.so\.6|libstdc\+\+\.so\.6|libgcc_s\.so\.1|ld-linux.*)$' <<<"$needed"); then
  echo "dist: the program needs more than libzmq5 and libsqlite3-0 bring: ${others//$'\n'/ }" >&2
  exit 1
fi

cluster/share.sh "$root/bin/groksweep" "$root"
install -m 755 cluster/install.sh "$root/install.sh"

licenses=$root/share/doc/groksweep/licenses
for checkout in "$checkouts"/*/; do
  # Of every package that is linked.
  while IFS= read -r file; do
    install -D -m 644 "$checkout$file" "$licenses/$(basename "$checkout")/$file"
  done < <(cd "$checkout" && find . -not -path './.git/*' -not -path '*/Tests/*' -type f \
    \( -iname 'LICENSE*' -o -iname 'NOTICE*' -o -iname 'COPYING*' \) -size +0 | sed 's,^\./,,')
done
swift_license=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/share/swift/LICENSE.txt
if [ ! -f "$swift_license" ]; then
  echo "dist: no $swift_license, the licence of Swift's runtime, which is inside the program" >&2
  exit 1
fi
install -D -m 644 "$swift_license" "$licenses/swift/LICENSE.txt"

(cd "$root" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" "$root/"
# The same tree gives the same bytes: names in order, nobody's in particular, as old as the commit.
when=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$when" -C "$work" -cf - "$name" | gzip -n -9 >"$name.tar.gz"
echo "$name.tar.gz: $(du -h "$name.tar.gz" | cut -f1), $(sha256sum "$name.tar.gz" | cut -d' ' -f1)"
