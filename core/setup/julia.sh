#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the path of a working julia; makes one in a private prefix when the machine has none.
#
# Candidates, in order: $MALT_JULIA, every directory of PATH, juliaup's directories, the private
# prefix. Only the path goes to standard output; everything else goes to standard error.
#
# "Working" means that a program that throws prints its error: Debian's Julia 1.5.3 on a later
# Debian runs against a libunwind with other structures and dies of SIGSEGV at the first exception.
# A candidate like that is refused and the next one is tried; but $MALT_JULIA was named by the user,
# so that one is an error.
#
# The private prefix holds Debian 11's Julia with every library that it was built against, unpacked
# (not installed) from the machine's own Debian mirror. It needs no root, leaves the system's
# packages alone and can be moved. It is built beside its final place under a lock and renamed when
# it has passed the check, so other processes see all of it or nothing.
#
# Environment: MALT_JULIA, MALT_JULIA_PREFIX (default: malt/julia-1.5.3 in the user's cache).

set -eu

readonly suite=bullseye
readonly packages='
  julia julia-common libjulia1 libjulia-dev libllvm9 libunwind8
  libffi7 libedit2 libbsd0 libmd0 libz3-4 libgfortran5 libquadmath0
  libgmp10 libmpfr6 libopenlibm3 libdsfmt-19937-1 libpcre2-8-0 libutf8proc2
  libgit2-1.1 libhttp-parser2.9 libmbedtls12 libmbedx509-0 libmbedcrypto3
  libssh2-1 libgcrypt20 libgpg-error0 libpcre3
  libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1'
readonly marker=.malt-julia
readonly check_seconds=60
readonly update_seconds=180
readonly download_seconds=900

say () {
  printf 'julia.sh: %s\n' "$*" >&2
}

die () {
  say "$*"
  exit 1
}

# --- what "working" means -------------------------------------------------------------------------

# check JULIA: prints nothing when it works, else why it does not.
check () {
  if [ ! -f "$1" ] || [ ! -x "$1" ]; then
    echo 'it is not an executable file'
    return
  fi
  status=0
  # shellcheck disable=SC3045 # every sh of Debian knows ulimit -c; a crash must leave no core file
  answer=$(exec 2>/dev/null
    ulimit -c 0
    timeout --foreground "$check_seconds" "$1" --startup-file=no -e '
      VERSION < v"1.5" && exit(3)
      try; sqrt(-1); catch e; showerror(stdout, e, catch_backtrace()); end' \
      </dev/null 9>&- || exit) || status=$?
  case $status in
    0) case $answer in
         DomainError*) ;;
         *) echo 'a program that throws does not print its error' ;;
       esac ;;
    3) echo 'it is older than Julia 1.5' ;;
    124) echo "a program that throws does not end within $check_seconds s" ;;
    139) echo 'a program that throws ends in a segmentation fault' ;;
    *) echo "a program that throws ends with exit status $status" ;;
  esac
}

# accept JULIA: prints the path and ends the script if it works, else says why not.
accept () {
  why=$(check "$1")
  if [ -z "$why" ]; then
    printf '%s\n' "$1"
    exit 0
  fi
  say "refused $1: $why"
}

# --- the machine's own Julia ----------------------------------------------------------------------

try_named () {
  case $1 in
    /*) named=$1 ;;
    */*) named=$PWD/$1 ;;
    *) named=$(command -v -- "$1" || true) ;;
  esac
  [ -n "$named" ] || die "MALT_JULIA is '$1', and there is no such command"
  accept "$named"
  die 'MALT_JULIA names a julia that does not work; correct it or unset it'
}

# Relative entries of PATH are passed over: a julia is never taken from the current directory.
try_path () {
  rest=${PATH:-}:
  while [ -n "$rest" ]; do
    directory=${rest%%:*}
    rest=${rest#*:}
    case $directory in
      /*) if [ -x "$directory/julia" ]; then accept "$directory/julia"; fi ;;
    esac
  done
}

# juliaup's launcher first, then the versions it has installed, newest first.
try_juliaup () {
  for launcher in "${HOME:-}/.juliaup/bin/julia" "${JULIAUP_DEPOT_PATH:-}/bin/julia"; do
    if [ -x "$launcher" ]; then accept "$launcher"; fi
  done
  depot=${JULIAUP_DEPOT_PATH:-${HOME:-}/.julia}
  versions=$(for julia in "$depot"/juliaup/julia-*/bin/julia; do
    if [ -x "$julia" ]; then printf '%s\n' "$julia"; fi
  done | sort -rV)
  while [ -n "$versions" ]; do
    julia=${versions%%"$newline"*}
    versions=${versions#"$julia"}
    versions=${versions#"$newline"}
    accept "$julia"
  done
}

# --- the private prefix ---------------------------------------------------------------------------

# identity PREFIX: changes when one of the files that the check depends on does.
identity () {
  (cd "$1/usr" && stat -L -c '%n %d:%i:%s:%Y' bin/julia lib/*-linux-gnu*/libjulia.so.1 \
    lib/*-linux-gnu*/libunwind.so.8 lib/*-linux-gnu*/julia/sys.so) 2>/dev/null
}

# The check takes a second; its success is remembered for as long as the files stay the same.
try_prefix () {
  [ -f "$prefix/$marker" ] || return 0
  now=$(identity "$prefix") || return 0
  if [ "$(cat "$prefix/$marker")" != "$now" ]; then
    why=$(check "$prefix/usr/bin/julia")
    if [ -n "$why" ]; then
      say "refused $prefix/usr/bin/julia: $why"
      return 0
    fi
    (printf '%s\n' "$now" >"$prefix/$marker") 2>/dev/null || true
  fi
  printf '%s\n' "$prefix/usr/bin/julia"
  exit 0
}

require_tools () {
  for tool in apt-get apt-cache apt-config dpkg dpkg-deb flock timeout awk; do
    command -v "$tool" >/dev/null || die "there is no working julia, and $tool, which is needed \
to make one, is missing; install Julia 1.5 or later and name it in MALT_JULIA"
  done
}

# Writes every apt source that may be a Debian archive, with the suite replaced, into numbered
# files of $temporary/candidates. The order is that of likelihood: a path that ends in /debian first.
list_sources () {
  list=
  parts=
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  mkdir "$temporary/candidates"
  for file in "$parts"/*.sources; do
    if [ -f "$file" ]; then list_deb822 "$file"; fi
  done
  for file in "$list" "$parts"/*.list; do
    if [ -f "$file" ]; then list_classic "$file"; fi
  done
}

# Comments may stand between the fields of a stanza; a continuation line belongs to the last field.
# Suites of updates, security and third parties have a '-' or a '/' in their names.
list_deb822 () {
  grep -v '^#' "$1" | awk -v RS= -v FS='\n' -v suite="$suite" \
    -v base="$temporary/candidates/$(basename "$1")" '
    {
      enabled = deb = main = plain = ranked = 0
      text = field = ""
      enabled = 1
      for (i = 1; i <= NF; i++) {
        line = $i
        if (line !~ /^[ \t]/) field = tolower(substr(line, 1, index(line, ":") - 1))
        value = " " line " "
        gsub(/[ \t]+/, " ", value)
        if (field == "types" && value ~ / deb /) deb = 1
        if (field == "enabled" && tolower(value) ~ / (no|false|0) /) enabled = 0
        if (field == "components" && value ~ / main /) main = 1
        if (field == "uris") {
          if (value ~ /\/debian\/? /) ranked = 1
          if (value ~ / cdrom:/) enabled = 0
        }
        if (field == "suites") {
          n = split(substr(value, index(value, ":") + 1), suites, " ")
          for (k = 1; k <= n; k++) if (suites[k] !~ /[-\/]/) plain = 1
        }
        if (field !~ /^(types|suites|components|enabled|architectures|targets)$/)
          text = text line "\n"
      }
      if (enabled && deb && main && plain) {
        file = base "." NR ".sources"
        sub(/[^\/]*$/, (ranked ? "1-" : "2-") "&", file)
        printf "Types: deb\nSuites: %s\nComponents: main\n%s", suite, text > file
        close(file)
      }
    }'
}

list_classic () {
  awk -v suite="$suite" -v base="$temporary/candidates/$(basename "$1")" '
    $1 == "deb" {
      sub(/#.*/, "")
      options = ""
      if (match($0, /\[[^]]*\]/)) {
        options = substr($0, RSTART, RLENGTH) " "
        $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
      }
      if ($2 ~ /^cdrom:/ || $3 ~ /[-\/]/ || (" " $0 " ") !~ /[ \t]main[ \t]/) next
      file = base "." NR ".list"
      sub(/[^\/]*$/, ($2 ~ /\/debian\/?$/ ? "1-" : "2-") "&", file)
      printf "deb %s%s %s main\n", options, $2, suite > file
      close(file)
    }' "$1"
}

# private_apt SECONDS COMMAND...: apt with a state of its own; its output is shown only on failure.
private_apt () {
  seconds=$1
  shift
  timeout --foreground "$seconds" "$@" -q \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$temporary/sources" \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$temporary/none" \
    -o Dir::State="$temporary/state" -o Dir::State::Lists="$temporary/lists" \
    -o Dir::State::status=/dev/null -o Dir::Cache="$temporary/cache" \
    -o APT::Architectures="$(dpkg --print-architecture)" -o APT::Sandbox::User=root \
    -o APT::Update::Error-Mode=any -o Acquire::Languages=none -o Acquire::Retries=2 \
    -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
    >"$temporary/log" 2>&1 9>&-
}

show_log () {
  tail -n 5 "$temporary/log" | sed 's/^/julia.sh:   /' >&2
}

# Takes the first source of the machine that has the suite with Julia in it.
find_archive () {
  list_sources
  mkdir -p "$temporary/none" "$temporary/state" "$temporary/cache/archives/partial"
  : >"$temporary/log"
  for source in "$temporary"/candidates/*; do
    [ -f "$source" ] || continue
    rm -rf "$temporary/sources" "$temporary/lists"
    mkdir -p "$temporary/sources" "$temporary/lists/partial"
    cp "$source" "$temporary/sources/debian.${source##*.}"
    if private_apt "$update_seconds" apt-get update \
      && private_apt "$update_seconds" apt-cache show julia; then
      return 0
    fi
  done
  show_log
  die "there is no working julia, and no apt source of this machine gives Debian's suite $suite \
to make one from; install Julia 1.5 or later and name it in MALT_JULIA"
}

download () {
  mkdir "$temporary/packages"
  wanted=$packages
  command -v patchelf >/dev/null || wanted="$wanted patchelf"
  # shellcheck disable=SC2086 # the list is split on purpose
  (cd "$temporary/packages" && private_apt "$download_seconds" apt-get download $wanted) || {
    show_log
    die 'the archive could not be read to the end; run the same command again later'
  }
}

unpack () {
  for package in "$temporary"/packages/*.deb; do
    dpkg-deb -x "$package" "$root" || die "cannot unpack $(basename "$package")"
  done
  # Some packages of that time use /lib, which a merged system links to /usr/lib.
  cp -a "$root/lib/." "$root/usr/lib/"
  rm -rf "${root:?}/lib" "$root/usr/share/doc" "$root/usr/share/julia/test"
}

# The old form of the run path (DT_RPATH) counts for the libraries that Julia opens later by name
# (libgmp.so and libmpfr.so, kept in julia/), too; so neither julia nor a host of libjulia needs
# LD_LIBRARY_PATH.
set_run_paths () {
  patchelf=$(command -v patchelf || printf '%s' "$root/usr/bin/patchelf")
  libraries=$(dirname "$root"/usr/lib/*/libjulia.so.1)
  triplet=${libraries##*/}
  set_run_path "\$ORIGIN/../lib/$triplet:\$ORIGIN/../lib/$triplet/julia" "$root/usr/bin/julia"
  for library in "$libraries"/*.so* "$libraries"/julia/*.so*; do
    if [ -L "$library" ] || [ ! -f "$library" ]; then continue; fi
    case $library in
      */julia/*) set_run_path "\$ORIGIN:\$ORIGIN/.." "$library" ;;
      *) set_run_path "\$ORIGIN:\$ORIGIN/julia" "$library" ;;
    esac
  done
  for name in gmp:10 mpfr:6; do
    if [ ! -e "$libraries/julia/lib${name%:*}.so" ]; then
      ln -sf "../lib${name%:*}.so.${name#*:}" "$libraries/julia/lib${name%:*}.so"
    fi
  done
}

set_run_path () {
  "$patchelf" --force-rpath --set-rpath "$1" "$2" || die "cannot set the run path of $2"
}

# What stands in the prefix is replaced only if this script made it.
require_own_prefix () {
  if [ -e "$prefix" ] && [ ! -f "$prefix/$marker" ]; then
    rmdir "$prefix" 2>/dev/null \
      || die "$prefix exists and was not made by this script; choose another MALT_JULIA_PREFIX"
  fi
}

# The marker goes in before the rename, so that there is never a finished prefix without it.
put_in_place () {
  identity "$root" >"$root/$marker"
  if [ -e "$prefix" ]; then mv "$prefix" "$temporary/old"; fi
  mv "$root" "$prefix"
}

clean_up () {
  if [ -n "$temporary" ]; then rm -rf "$temporary"; fi
}

make_prefix () {
  case $prefix in
    /*) ;;
    *) die "MALT_JULIA_PREFIX is '$prefix', expected an absolute path" ;;
  esac
  require_tools
  if ! mkdir -p "$(dirname "$prefix")" || ! touch "$prefix.lock"; then
    die "cannot write in $(dirname "$prefix"); name another place in MALT_JULIA_PREFIX"
  fi
  exec 9>"$prefix.lock"
  if ! flock -n 9; then
    say 'waiting for another process that makes a private Julia'
    flock 9
  fi
  try_prefix
  require_own_prefix
  # The lock is held, so what an interrupted run left behind belongs to nobody.
  rm -rf "$prefix".tmp.*
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  temporary=$(mktemp -d "$prefix.tmp.XXXXXX")
  chmod 755 "$temporary"
  root=$temporary/root
  mkdir "$root"
  say "making a private Julia 1.5.3 in $prefix (about 65 MB to download, 320 MB on disk)"
  find_archive
  download
  unpack
  set_run_paths
  why=$(check "$root/usr/bin/julia")
  [ -z "$why" ] || die "the private Julia does not work on this machine: $why; install Julia 1.5 \
or later and name it in MALT_JULIA"
  put_in_place
}

newline='
'
temporary=
if [ -n "${MALT_JULIA:-}" ]; then try_named "$MALT_JULIA"; fi
try_path
try_juliaup
if [ -n "${MALT_JULIA_PREFIX:-}" ]; then
  prefix=$MALT_JULIA_PREFIX
elif [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ]; then
  prefix=${XDG_CACHE_HOME:-$HOME/.cache}/malt/julia-1.5.3
else
  die 'there is no working julia, and neither HOME nor MALT_JULIA_PREFIX says where to make one'
fi
try_prefix
make_prefix
printf '%s\n' "$prefix/usr/bin/julia"
