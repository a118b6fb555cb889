#!/usr/bin/env bash
# Gets what the tests over ssh and between network namespaces need and this machine lacks: ssh with its server, and ip.
#
#   cluster/test-tools.sh FOLDER     then FOLDER/bin at the end of PATH has them
#
# Packages are downloaded and unpacked in FOLDER, never installed: that of sshd would start a service on this machine. On
# a machine that has the commands it does nothing. Where it cannot help it says why and ends with 0: the tests say what
# they skip.
# shellcheck disable=SC2016  # $top is for the scripts that are written here
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
export PATH="$PATH:/usr/sbin:/sbin"

commands=(sshd ssh ssh-keygen ip)
declare -A package=([sshd]=openssh-server [ssh]=openssh-client [ssh-keygen]=openssh-client [ip]=iproute2)

missing=()
for command in "${commands[@]}"; do
  command -v "$command" >/dev/null || [ -x "$folder/bin/$command" ] || missing+=("$command")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

give_up() {
  echo "test-tools: no ${missing[*]} here, and $1; tests that need them are skipped" >&2
  exit 0
}
[ "$(id -u)" -eq 0 ] || give_up "only root can run those tests"
command -v apt-get >/dev/null || give_up "this machine has no apt-get to download them with"
has_user=yes
getent passwd sshd >/dev/null || has_user=no
[ "$has_user" = yes ] || unshare --mount true 2>/dev/null || give_up "the kernel gives no mount namespace for sshd's user"

mapfile -t packages < <(for command in "${missing[@]}"; do echo "${package[$command]}"; done | sort -u)
echo "test-tools: downloading ${packages[*]}, to be unpacked in ${folder##*/}" >&2
# What the packages depend on and this machine lacks comes too. A package that is installed without its program as well.
# What is there is replaced: so it has to be this script's own.
mine=$folder/.test-tools
if [ ! -e "$mine" ] && [ -n "$(ls -A "$folder")" ]; then give_up "$folder is not empty, and not a folder of this script"; fi
touch "$mine"
rm -rf "${folder:?}/packages" "${folder:?}/root" "${folder:?}/bin"
mkdir -p "$folder"/packages/partial "$folder"/{root,bin}
get() {
  apt-get -qq install --yes --no-install-recommends --reinstall --download-only -o Debug::NoLocking=1 \
    -o Dir::Cache::Archives="$folder/packages" -o APT::Sandbox::User=root "${packages[@]}" >"$folder/log" 2>&1
}
get || { apt-get -qq update >"$folder/log" 2>&1 && get; } || give_up "apt-get says: $(tail -n 1 "$folder/log")"

for file in "$folder"/packages/*.deb; do
  # Programs of this machine load its own C library.
  case ${file##*/} in libc6_*) continue ;; esac
  dpkg-deb --extract "$file" "$folder/root"
done

# sshd wants a user of its name and that user's empty folder, which installing would make. It alone gets to see them.
cat >"$folder/with-sshd-user" <<'END'
#!/bin/sh
exec unshare --mount sh -c '
  mount -t tmpfs -o mode=755 tmpfs /run/sshd &&
  { cat /etc/passwd; echo "sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin"; } >/run/sshd/passwd &&
  mount --bind /run/sshd/passwd /etc/passwd && rm /run/sshd/passwd && exec "$@"' sh "$@"
END
chmod +x "$folder/with-sshd-user"

# Each command as one that finds its libraries, wherever the folder is moved to.
cd "$folder"
libraries=$(find root \( -name '*.so' -o -name '*.so.*' \) -printf '$top/%h\n' | sort -u | paste -sd: -)
for command in "${missing[@]}"; do
  program=$(find root/{usr/,}{bin,sbin} -name "$command" -type f 2>/dev/null | head -n 1) || true
  [ -n "$program" ] || give_up "the packages have no $command"
  words=("\"\$top/$program\"")
  if [ "$command" = sshd ]; then
    [ "$has_user" = yes ] || words=('"$top/with-sshd-user"' "${words[@]}")
    # Newer ones come in three parts.
    for part in session:SshdSessionPath auth:SshdAuthPath; do
      file=root/usr/lib/openssh/sshd-${part%:*}
      [ ! -x "$file" ] || words+=(-o "\"${part#*:}=\$top/$file\"")
    done
  fi
  {
    echo '#!/bin/sh'
    echo 'top=${0%/bin/*}'
    echo "export LD_LIBRARY_PATH=\"$libraries\""
    echo "exec ${words[*]} \"\$@\""
  } >"bin/$command"
  chmod +x "bin/$command"
done
rm -rf packages
