#!/usr/bin/env bash
# Installs what groksweep needs and this machine lacks: libzmq and SQLite with their headers, the sqlite3 shell, make and git.
#
# Debian and Ubuntu: by apt-get, without a question; with nothing missing it does nothing and needs no rights.
# Elsewhere: names the packages and leaves them to you. Swift itself comes from https://www.swift.org/install.
set -euo pipefail

missing=()

# A header decides for a library, a command for a tool: a library that was built by hand counts as installed.
want_header() { # PACKAGE HEADER
  local folder
  for folder in /usr/include /usr/local/include; do
    [ -e "$folder/$2" ] && return 0
  done
  missing+=("$1")
}
want_command() { # PACKAGE COMMAND
  command -v "$2" >/dev/null 2>&1 || missing+=("$1")
}

want_header libzmq3-dev zmq.h
want_header libsqlite3-dev sqlite3.h
want_command sqlite3 sqlite3
want_command make make
want_command git git

if [ "${#missing[@]}" -gt 0 ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    cat >&2 <<EOF
install-dependencies: missing here: ${missing[*]} (Debian's names), and this machine has no apt-get.
Install libzmq 4.3 or later and SQLite 3.37 or later with their headers, and the sqlite3 shell:
  Fedora, RHEL, Rocky   sudo dnf install zeromq-devel sqlite-devel sqlite make git
  Arch                  sudo pacman -S zeromq sqlite make git
  openSUSE              sudo zypper install zeromq-devel sqlite3-devel sqlite3 make git
EOF
    exit 1
  fi
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "install-dependencies: missing here: ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
      echo "install-dependencies: needs root; run: sudo apt-get install ${missing[*]}" >&2
      exit 1
    fi
  fi
  echo "install-dependencies: installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v swift >/dev/null 2>&1; then
  echo "install-dependencies: no swift command here; install Swift 6.1 or later from https://www.swift.org/install" >&2
  exit 1
fi
