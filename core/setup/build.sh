#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes this machine ready and builds the project; demo.sh and test.sh source it.
#
# Before: setup is this directory, package_set is packages.sh's argument. After: build is the build
# directory (MALT_BUILD_DIR, else build/ in the source tree), and MALT_JULIA is exported.

set -eu

# shellcheck disable=SC2154 # they come from the script that sources this one
: "$setup" "$package_set"
source=$(CDPATH='' cd -- "$setup/../.." && pwd)
build=${MALT_BUILD_DIR:-$source/build}
case $build in
  /*) ;;
  *) build=$PWD/$build ;;
esac

sh "$setup/packages.sh" "$package_set"
MALT_JULIA=$(sh "$setup/julia.sh")
export MALT_JULIA
printf 'julia: %s\n' "$MALT_JULIA"

# Only a first configuration chooses; later ones keep what the build directory was given since.
if [ ! -f "$build/CMakeCache.txt" ]; then
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo
elif [ ! -f "$build/build.ninja" ]; then
  cmake -S "$source" -B "$build"
fi
cmake --build "$build" -j "$(nproc)"
