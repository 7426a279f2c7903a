#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes this machine ready and builds the project; demo.sh and test.sh source it.
#
# Before: setup is this directory, package_set is packages.sh's argument: build for the library and the command, test for
# everything. After: build is the build directory (MALT_BUILD_DIR, else build/ in the source tree), and MALT_JULIA is exported.

set -eu

# shellcheck disable=SC2154 # they come from the script that sources this one
: "$setup" "$package_set"
source=$(CDPATH='' cd -- "$setup/../.." && pwd)
build=${MALT_BUILD_DIR:-$source/build}
case $build in
  /*) ;;
  *) build=$PWD/$build ;;
esac

# The first line on standard output says what is used; tested.py reads it.
sh "$setup/packages.sh" "$package_set" >&2
MALT_JULIA=$(sh "$setup/julia.sh")
export MALT_JULIA
printf 'julia %s: %s\n' "$("$MALT_JULIA" --startup-file=no -e 'print(VERSION)')" "$MALT_JULIA"

# What is to be tested is built whole, with warnings as errors. Anything else only a first configuration chooses; later ones
# keep what the build directory was given since.
set --
if [ ! -f "$build/CMakeCache.txt" ]; then
  set -- -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DMALT_TESTS=OFF -DMALT_CONTRACT=OFF
fi
if [ "$package_set" = test ]; then
  set -- "$@" -DMALT_TESTS=ON -DMALT_CONTRACT=ON -DMALT_WERROR=ON
fi
if [ $# -gt 0 ] || [ ! -f "$build/build.ninja" ]; then
  cmake -S "$source" -B "$build" "$@"
fi
cmake --build "$build" -j "$(nproc)"
