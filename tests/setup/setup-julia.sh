#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests core/setup/julia.sh: which julia it takes, which it refuses, and how it makes one.
#
# Usage: setup-julia.sh JULIA_SH
#
# Each case runs the script with a PATH that holds links to the few programs it needs and nothing
# else, so that no julia of this machine is in its way. apt, dpkg and patchelf are stand-ins; the
# Julia they "install" is a shell script. Every name has a space in it. Where MALT_JULIA names a
# real one, as test.sh does, that one must be taken, too.

set -eu

script=$1
real_julia=${MALT_JULIA:-}
unset MALT_JULIA MALT_JULIA_PREFIX XDG_CACHE_HOME JULIAUP_DEPOT_PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/malt setup.XXXXXX")
trap 'rm -rf "$work"' EXIT
tools=$work/tools
prefix="$work/a cache/julia"
expected=$prefix/usr/bin/julia
sh=$(command -v sh)
failures=0

for tool in sh awk basename cat chmod cp dirname flock grep ln mkdir mktemp mv rm rmdir sed \
  sleep sort stat tail timeout touch; do
  mkdir -p "$tools"
  ln -s "$(command -v "$tool")" "$tools/$tool"
done

# stand_in FILE: makes a program of what comes on standard input.
stand_in () {
  mkdir -p "$(dirname "$1")"
  { echo '#!/bin/sh'; cat; } >"$1"
  chmod +x "$1"
}

good_julia () {
  stand_in "$1" <<'END'
echo "DomainError with -1.0:"
END
}

broken_julia () {
  stand_in "$1" <<'END'
exit 139
END
}

# The stand-ins write what they were asked for to $WORK/asked and unpack $WORK/julia.
make_stand_ins () {
  stand_in "$tools/apt-config" <<'END'
printf "list='%s/etc/sources.list'\nparts='%s/etc/parts'\n" "$WORK" "$WORK"
END
  stand_in "$tools/apt-get" <<'END'
for argument; do
  case $argument in
    Dir::Etc::SourceParts=*) sources=${argument#*=} ;;
  esac
done
case $1 in
  update)
    cat "$sources"/* >>"$WORK/asked"
    if grep -q unreachable "$sources"/*; then echo 'E: cannot connect'; exit 100; fi ;;
  download)
    echo download >>"$WORK/asked"
    if [ -f "$WORK/slow" ]; then sleep 1; fi
    if [ -f "$WORK/truncated" ]; then echo 'E: connection lost'; exit 100; fi
    touch all.deb ;;
esac
END
  stand_in "$tools/apt-cache" <<'END'
exit 0
END
  stand_in "$tools/dpkg" <<'END'
echo amd64
END
  stand_in "$tools/dpkg-deb" <<'END'
libraries=$3/usr/lib/x86_64-linux-gnu
mkdir -p "$3/lib" "$3/usr/bin" "$libraries/julia"
cp "$WORK/julia" "$3/usr/bin/julia"
touch "$libraries/libjulia.so.1" "$libraries/libunwind.so.8" "$libraries/julia/sys.so"
END
  stand_in "$tools/patchelf" <<'END'
exit 0
END
  good_julia "$work/julia"
}

# run [NAME=VALUE...]: runs the script; sets answer, messages and status.
run () {
  status=0
  env -i PATH="${path:-$tools}" HOME="$work/a home" WORK="$work" MALT_JULIA_PREFIX="$prefix" \
    "$@" "$sh" "$script" >"$work/answer" 2>"$work/messages" || status=$?
  answer=$(cat "$work/answer")
  messages=$(cat "$work/messages")
}

start () {
  name=$1
  path=$tools
  rm -rf "$work/a cache" "$work/a home" "${work:?}/etc" "$work/other" "$work/asked" "$work/slow" \
    "$work/truncated"
  mkdir -p "$work/a home" "$work/etc/parts"
  make_stand_ins
  debian_source
}

debian_source () {
  cat >"$work/etc/parts/debian.sources" <<'END'
Types: deb deb-src
# a comment inside a stanza
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
END
}

fail () {
  printf '%s: %s\n' "$name" "$*"
  failures=$((failures + 1))
}

expect_status () {
  [ "$status" -eq "$1" ] || fail "exit status $status, expected $1; messages: $messages"
}

expect_answer () {
  [ "$answer" = "$1" ] || fail "printed '$answer', expected '$1'; messages: $messages"
}

expect_message () {
  case $messages in
    *"$1"*) ;;
    *) fail "no '$1' in its messages: $messages" ;;
  esac
}

expect_nothing_left () {
  for left in "$prefix".tmp.*; do
    if [ -e "$left" ]; then fail "left $left behind"; fi
  done
}

# --- choosing -------------------------------------------------------------------------------------

start 'takes the julia that MALT_JULIA names'
good_julia "$work/other/julia"
run MALT_JULIA="$work/other/julia"
expect_status 0
expect_answer "$work/other/julia"

start 'a broken MALT_JULIA is an error'
broken_julia "$work/other/julia"
run MALT_JULIA="$work/other/julia"
expect_status 1
expect_answer ''
expect_message 'segmentation fault'
expect_message 'MALT_JULIA names a julia that does not work'

start 'a MALT_JULIA that does not exist is an error'
run MALT_JULIA=no-such-julia
expect_status 1
expect_message "MALT_JULIA is 'no-such-julia'"

start 'refuses a broken julia on PATH and takes the next one'
broken_julia "$work/other/1/julia"
good_julia "$work/other/2/julia"
path=$work/other/1:$work/other/2:$tools
run
expect_status 0
expect_answer "$work/other/2/julia"
expect_message "refused $work/other/1/julia: a program that throws ends in a segmentation fault"

start 'never takes a julia from the current directory'
good_julia "$work/other/julia"
path=.::$tools
cd "$work/other"
run
cd /
expect_answer "$expected"

start 'takes the launcher of juliaup'
good_julia "$work/a home/.juliaup/bin/julia"
run
expect_answer "$work/a home/.juliaup/bin/julia"

start 'takes the newest version that juliaup installed'
for version in 1.9.4 1.10.2 1.11.0; do
  good_julia "$work/other/juliaup/julia-$version+0.x64/bin/julia"
done
run JULIAUP_DEPOT_PATH="$work/other"
expect_answer "$work/other/juliaup/julia-1.11.0+0.x64/bin/julia"

start 'refuses a julia that is too old'
stand_in "$work/other/julia" <<'END'
exit 3
END
path=$work/other:$tools
run
expect_answer "$expected"
expect_message 'it is older than Julia 1.5'

# --- making ---------------------------------------------------------------------------------------

start 'makes a private julia once and then finds it'
path=$work/other:$tools
broken_julia "$work/other/julia"
run
expect_status 0
expect_answer "$expected"
expect_nothing_left
run
expect_status 0
expect_answer "$expected"
[ "$(grep -c download "$work/asked")" -eq 1 ] || fail 'downloaded more than once'

start 'two at once make one'
touch "$work/slow"
run_quietly () {
  env -i PATH="$tools" HOME="$work/a home" WORK="$work" MALT_JULIA_PREFIX="$prefix" \
    "$sh" "$script" >"$1" 2>/dev/null
}
run_quietly "$work/first" & first=$!
run_quietly "$work/second" & second=$!
wait "$first" || fail 'the first one failed'
wait "$second" || fail 'the second one failed'
[ "$(cat "$work/first" "$work/second")" = "$expected
$expected" ] || fail 'they did not both print the path'
[ "$(grep -c download "$work/asked")" -eq 1 ] || fail 'downloaded more than once'

start 'the default place is the cache of the user'
run MALT_JULIA_PREFIX=
expect_answer "$work/a home/.cache/malt/julia-1.5.3/usr/bin/julia"

start 'asks the Debian source of the machine for the old suite'
run
cat >"$work/wanted" <<'END'
Types: deb
Suites: bullseye
Components: main
URIs: http://mirror.example/debian
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
download
END
cmp -s "$work/asked" "$work/wanted" || fail "asked for: $(cat "$work/asked")"

start 'reads the classic form of sources and goes on after one that does not answer'
rm "$work/etc/parts/debian.sources"
cat >"$work/etc/sources.list" <<'END'
# deb http://mirror.example/commented main
deb http://unreachable.example/debian bookworm main
deb-src http://mirror.example/source bookworm main
deb http://mirror.example/security bookworm-security main
deb [ signed-by=/a/key arch=amd64 ] http://mirror.example/other bookworm contrib main # why
END
run
expect_answer "$expected"
cat >"$work/wanted" <<'END'
deb http://unreachable.example/debian bullseye main
deb [ signed-by=/a/key arch=amd64 ] http://mirror.example/other bullseye main
download
END
cmp -s "$work/asked" "$work/wanted" || fail "asked for: $(cat "$work/asked")"

start 'says so when no source gives the suite'
sed -i s/mirror/unreachable/ "$work/etc/parts/debian.sources"
run
expect_status 1
expect_answer ''
expect_message 'E: cannot connect'
expect_message "no apt source of this machine gives Debian's suite bullseye"
expect_nothing_left

start 'a download that breaks off leaves nothing behind'
touch "$work/truncated"
run
expect_status 1
expect_message 'E: connection lost'
expect_nothing_left
[ ! -e "$prefix" ] || fail 'left a prefix'

start 'a signal leaves nothing behind'
touch "$work/slow"
run timeout -s TERM 0.5
expect_status 124
expect_answer ''
expect_nothing_left

start 'says so when the julia that it made does not work'
broken_julia "$work/julia"
run
expect_status 1
expect_message 'the private Julia does not work on this machine'
[ ! -e "$prefix" ] || fail 'left a prefix'

start 'makes a damaged private julia anew'
run
broken_julia "$expected"
run
expect_status 0
expect_answer "$expected"
expect_message 'refused'

start 'never replaces a directory that it did not make'
mkdir -p "$prefix"
touch "$prefix/mine"
run
expect_status 1
expect_message 'was not made by this script'
[ -f "$prefix/mine" ] || fail 'removed a file of the user'

start 'a prefix that was moved works in its new place'
run
mv "$prefix" "$work/other"
run MALT_JULIA_PREFIX="$work/other"
expect_answer "$work/other/usr/bin/julia"

if [ -n "$real_julia" ]; then
  start 'takes the real julia of this test run'
  run MALT_JULIA="$real_julia"
  expect_status 0
  expect_answer "$real_julia"
fi

if [ "$failures" -gt 0 ]; then
  printf 'failures: %s\n' "$failures"
  exit 1
fi
