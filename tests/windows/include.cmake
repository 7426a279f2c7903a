# SPDX-License-Identifier: MIT
# Read by ctest: the tests of the build directory for Windows that MALT_TEST_WINDOWS names.
if(DEFINED ENV{MALT_TEST_WINDOWS})
  subdirs("$ENV{MALT_TEST_WINDOWS}")
endif()
