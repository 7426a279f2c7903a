#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the project for Windows on Debian, and with the word `test` runs its tests for Windows under Wine.
#
# Usage: windows.sh [test]
#
# The libraries for Windows are made once for each of their versions, in the user's cache (windows/sysroot.sh). The build
# directory is MALT_WINDOWS_BUILD_DIR, else build-windows/ in the source tree. Introspection data is not made there: its
# tools would have to run what was built.

set -eu

setup=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$(CDPATH='' cd -- "$setup/../.." && pwd)
build=${MALT_WINDOWS_BUILD_DIR:-$source/build-windows}
case $build in
  /*) ;;
  *) build=$PWD/$build ;;
esac

sh "$setup/packages.sh" windows
sysroot=$(sh "$setup/windows/sysroot.sh")

# What pkg-config has said of other libraries is not asked again.
if ! grep -qsx "MALT_WINDOWS_SYSROOT:PATH=$sysroot" "$build/CMakeCache.txt"; then
  rm -f "$build/CMakeCache.txt" "$build/build.ninja"
fi
if [ ! -f "$build/build.ninja" ]; then
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_TOOLCHAIN_FILE="$source/core/cmake/mingw64.cmake" -DMALT_WINDOWS_SYSROOT="$sysroot" \
    -DCMAKE_CROSSCOMPILING_EMULATOR="$setup/windows/wine.sh" -DMALT_INTROSPECTION=OFF -DMALT_WERROR=ON
else
  cmake -S "$source" -B "$build" -DMALT_WERROR=ON >/dev/null
fi
cmake --build "$build" -j "$(nproc)"

if [ "${1:-}" = test ]; then
  MALT_WINDOWS_SYSROOT=$sysroot
  export MALT_WINDOWS_SYSROOT
  exec ctest --test-dir "$build" --output-on-failure --no-tests=error -L windows -j "${CTEST_PARALLEL_LEVEL:-2}"
fi
