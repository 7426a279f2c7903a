#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the system packages that this project needs and a Debian or Ubuntu machine lacks.
#
# Usage: packages.sh [build|test|windows]
#   build  what building the library and running it needs (the default)
#   test   that, and what the tests and the checks of the code need
#   windows  what building for Windows needs, and what runs it
#
# It says which packages are missing and installs them as root, or with sudo where that asks for no
# password. Otherwise it prints the one command to run and exits with 1. Where there is no dpkg it
# only says what is needed, because the packages have other names there.

set -eu

# patchelf, ca-certificates: for the private Julia that julia.sh makes.
needed='gcc libc6-dev cmake ninja-build pkg-config libglib2.0-dev libffi-dev
  gobject-introspection libgirepository1.0-dev python3-gi gir1.2-glib-2.0 patchelf ca-certificates'
# Older releases have clang's sanitizers in a package that clang itself depends on.
where_known=

case ${1:-build} in
  build) ;;
  test)
    # The ssh server is for a test, which starts one of its own; g++ is for programs that use the installed headers.
    needed="$needed libcunit1-dev libjson-glib-dev git g++ clang clang-format clang-tidy valgrind openssh-client openssh-server iproute2"
    where_known=libclang-rt-dev
    ;;
  windows)
    # libglib2.0-dev and the other three say by their versions which sources are built.
    needed='gcc libc6-dev cmake ninja-build pkg-config libglib2.0-dev libffi-dev libcunit1-dev libpcre2-dev
      gcc-mingw-w64-x86-64-win32 libz-mingw-w64-dev meson make dpkg-dev wine wine64 ca-certificates'
    ;;
  *)
    printf "packages.sh: '%s' is no set of packages, expected 'build', 'test' or 'windows'\n" "$1" >&2
    exit 2
    ;;
esac

say () {
  printf 'packages.sh: %s\n' "$*" >&2
}

is_missing () {
  case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) in
    ?i*) return 1 ;;
  esac
}

# list_missing: prints the packages to install, each after a space.
list_missing () {
  for package in $needed; do
    if is_missing "$package"; then printf ' %s' "$package"; fi
  done
  for package in $where_known; do
    if is_missing "$package" && apt-cache show "$package" >/dev/null 2>&1; then
      printf ' %s' "$package"
    fi
  done
}

if ! command -v dpkg-query >/dev/null; then
  say "no dpkg here; install what Debian calls: $needed"
  exit 0
fi

missing=$(list_missing)
if [ -z "$missing" ]; then exit 0; fi
say "missing:$missing"

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root='sudo -n'
else
  say 'they cannot be installed without root; run this, then the same command again:'
  say "  sudo apt-get install --no-install-recommends$missing"
  exit 1
fi

privileged_apt () {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=2 "$@" </dev/null >&2
}

# forbid_service, allow_service: a new ssh server would listen from now on, which nobody has asked for.
policy=/usr/sbin/policy-rc.d
forbid_service () {
  if [ -e "$policy" ]; then return; fi
  trap allow_service EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
}
allow_service () {
  $as_root rm -f "$policy"
  if command -v systemctl >/dev/null; then $as_root systemctl disable ssh >&2 || true; fi
}
case $missing in *openssh-server*) forbid_service ;; esac

# A source of somebody else's that cannot be read must not stop what comes from the others.
say "installing them with ${as_root:+sudo and }apt-get"
privileged_apt update || say 'apt-get update failed in part; trying all the same'
# shellcheck disable=SC2046 # the list is split on purpose
privileged_apt install -y --no-install-recommends $(list_missing)

missing=$(list_missing)
if [ -n "$missing" ]; then
  say "still missing:$missing"
  exit 1
fi
