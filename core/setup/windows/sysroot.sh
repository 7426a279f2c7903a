#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the path of a sysroot for cross-building to Windows; makes it when there is none.
#
# It holds GLib (with GObject, GIO and GModule), libffi, pcre2, zlib and CUnit, all but zlib built here from the
# sources of this machine's own Debian packages: what Windows gets is what is tested on Linux. The list of
# sources is a private copy of the machine's own; its lists and packages are left alone. Only the path goes to
# standard output.
#
# The sysroot stands in the user's cache, below a name made of the versions of the sources and of what builds
# them. It counts once it is whole, which a mark says; a lock keeps two from building it at the same time.
#
# Environment: MALT_WINDOWS_CACHE (default: malt in the user's cache).

set -eu

readonly host=x86_64-w64-mingw32
readonly sources='glib2.0:libglib2.0-dev pcre2:libpcre2-dev libffi:libffi-dev cunit:libcunit1-dev'
readonly pcre2_parts='auto_possess compile config context convert dfa_match error extuni find_bracket jit_compile
  maketables match match_data newline ord2utf pattern_info script_run serialize string_utils study substitute
  substring tables ucd valid_utf xclass'
readonly cunit_parts='Framework/CUError Framework/MyMem Framework/TestDB Framework/TestRun Framework/Util
  Basic/Basic Automated/Automated'

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${MALT_WINDOWS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/malt}
jobs=$(nproc 2>/dev/null || echo 2)

say () {
  printf 'sysroot.sh: %s\n' "$*" >&2
}

# logged NAME COMMAND...: runs it; what it says is shown if it fails.
logged () {
  log=$work/$1.log
  shift
  if ! "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    say "failed: $*"
    exit 1
  fi
}

# version_of PACKAGE: the version of the source of an installed package.
version_of () {
  dpkg-query -W -f '${source:Version}' "$1"
}

describe () {
  for entry in $sources; do
    printf '%s %s\n' "${entry%%:*}" "$(version_of "${entry##*:}")"
  done
  printf 'zlib %s\n' "$(version_of libz-mingw-w64-dev)"
  "$host-gcc" -dumpfullversion
  cat "$here/sysroot.sh" "$here/libintl.h" "$here/libintl.c"
}

# --- the sources ----------------------------------------------------------------------------------

# The machine's own lists, as lists of sources, whatever their format.
copy_lists () {
  mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/archives/partial"
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    if [ ! -f "$list" ]; then continue; fi
    case $list in
      *.sources) sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/apt/parts/${list##*/}" ;;
      *.list) sed -n 's/^deb\(-src\)\{0,1\} /deb-src /p' "$list" >"$work/apt/parts/${list##*/}" ;;
    esac
  done
}

own_apt () {
  apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/parts" \
    -o Dir::State::lists="$work/apt/lists" -o Dir::Cache::archives="$work/apt/archives" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=2 "$@"
}

# fetch SOURCE VERSION: unpacks it. A version of a security update may be listed and not there: then the release's, then the newest.
fetch () {
  for wanted in "$1=$2" "$1=${2%%+deb*}" "$1"; do
    rm -f "$work/src/$1"_*
    if (cd "$work/src" && own_apt source --download-only "$wanted") >>"$work/fetch.log" 2>&1 </dev/null; then
      logged fetch dpkg-source --no-check -x "$(ls "$work/src/$1"_*.dsc)" "$work/src/$1"
      return
    fi
  done
  tail -n 20 "$work/fetch.log" >&2
  say "the sources of $1 cannot be had"
  exit 1
}

# --- the libraries --------------------------------------------------------------------------------

# write_pc NAME VERSION LIBS [CFLAGS]
write_pc () {
  # shellcheck disable=SC2016 # pkg-config expands them
  printf 'prefix=${pcfiledir}/../..\nName: %s\nDescription: %s\nVersion: %s\nLibs: -L${prefix}/lib %s\nCflags: -I${prefix}/include %s\n' \
    "$1" "$1" "$2" "$3" "${4:-}" >"$prefix/lib/pkgconfig/$1.pc"
}

build_libffi () {
  mkdir -p "$work/libffi"
  cd "$work/libffi"
  logged libffi "$work/src/libffi/configure" "--host=$host" "--prefix=$prefix" --enable-static --disable-shared \
    --disable-docs --disable-dependency-tracking --disable-multi-os-directory CFLAGS=-O2
  logged libffi make -j "$jobs" install
}

# As upstream's NON-AUTOTOOLS-BUILD says.
build_pcre2 () {
  mkdir -p "$work/pcre2"
  cd "$work/pcre2"
  from=$work/src/pcre2/src
  cp "$from/config.h.generic" config.h
  cp "$from/pcre2.h.generic" pcre2.h
  cp "$from/pcre2_chartables.c.dist" pcre2_chartables.c
  for part in $pcre2_parts; do echo "$from/pcre2_$part.c"; done >list
  echo pcre2_chartables.c >>list
  logged pcre2 xargs -a list -P "$jobs" -n 4 "$host-gcc" -c -O1 -DHAVE_CONFIG_H -DPCRE2_CODE_UNIT_WIDTH=8 -DPCRE2_STATIC \
    -DSUPPORT_UNICODE -DHAVE_STDLIB_H -DHAVE_MEMMOVE -DHAVE_STDINT_H -DHAVE_INTTYPES_H -DHAVE_LIMITS_H -I. "-I$from"
  "$host-ar" rcs "$prefix/lib/libpcre2-8.a" ./*.o
  cp pcre2.h "$prefix/include"
  write_pc libpcre2-8 "$(version_of libpcre2-dev | sed 's/-.*//')" -lpcre2-8 -DPCRE2_STATIC
}

build_small_ones () {
  cp "/usr/$host/lib/libz.a" "$prefix/lib"
  cp "/usr/$host/include/zlib.h" "/usr/$host/include/zconf.h" "$prefix/include"
  write_pc zlib "$(version_of libz-mingw-w64-dev | sed 's/+.*//')" -lz

  cp "$here/libintl.h" "$prefix/include"
  logged libintl "$host-gcc" -O1 "-I$prefix/include" -c "$here/libintl.c" -o "$work/libintl.o"
  "$host-ar" rcs "$prefix/lib/libintl.a" "$work/libintl.o"

  mkdir -p "$work/cunit"
  cd "$work/cunit"
  cp "$work/src/cunit/CUnit/Headers"/*.h "$prefix/include/CUnit"
  for part in $cunit_parts; do
    logged cunit "$host-gcc" -O1 -w '-DVERSION="2.1"' '-DRELEASE="3"' "-I$prefix/include/CUnit" \
      -c "$work/src/cunit/CUnit/Sources/$part.c"
  done
  "$host-ar" rcs "$prefix/lib/libcunit.a" ./*.o
  write_pc cunit 2.1.3 -lcunit
}

# The answers that GLib's configuration would get by running programs.
write_cross_file () {
  cat >"$work/glib.cross" <<CROSS
[binaries]
c = '$host-gcc'
ar = '$host-ar'
strip = '$host-strip'
windres = '$host-windres'
pkgconfig = 'pkg-config'
[properties]
pkg_config_libdir = '$prefix/lib/pkgconfig'
needs_exe_wrapper = true
have_c99_vsnprintf = false
have_c99_snprintf = false
have_unix98_printf = false
va_val_copy = true
growing_stack = false
have_strlcpy = false
have_proc_self_cmdline = false
[built-in options]
c_args = ['-I$prefix/include']
c_link_args = ['-L$prefix/lib', '-static-libgcc']
[host_machine]
system = 'windows'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
CROSS
}

build_glib () {
  write_cross_file
  logged glib meson setup "$work/glib" "$work/src/glib2.0" --cross-file "$work/glib.cross" "--prefix=$prefix" --libdir=lib \
    -Doptimization=1 -Ddebug=false --wrap-mode=nodownload -Dtests=false -Dnls=disabled \
    -Dglib_debug=disabled -Dlibelf=disabled -Dlibmount=disabled -Dselinux=disabled
  logged glib ninja -C "$work/glib" -j "$jobs"
  logged glib meson install -C "$work/glib" --no-rebuild
}

# --- all of it ------------------------------------------------------------------------------------

name=windows-$(describe | sha256sum | cut -c 1-16)
final=$cache/$name
if [ -e "$final/.complete" ]; then
  echo "$final"
  exit 0
fi

mkdir -p "$cache"
exec 9>"$final.lock"
flock 9
if [ ! -e "$final/.complete" ]; then
  say "building GLib and others for Windows in $final; this takes some minutes"
  work=$cache/$name.work
  # What is built names its prefix: it is built for the final place, and the mark makes it complete.
  prefix=$final
  rm -rf "$work" "$final"
  mkdir -p "$work/src" "$prefix/bin" "$prefix/include/CUnit" "$prefix/lib/pkgconfig"
  copy_lists
  logged lists own_apt update
  for entry in $sources; do
    fetch "${entry%%:*}" "$(version_of "${entry##*:}")"
  done
  build_libffi
  build_pcre2
  build_small_ones
  build_glib
  cd "$cache"
  rm -rf "$work"
  : >"$final/.complete"
fi
echo "$final"
