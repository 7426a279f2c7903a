# SPDX-License-Identifier: MIT
# What the shared library exports: malt_* and nothing else, under one version. Visibility alone says so where the linker
# knows no version scripts.
include(CheckLinkerFlag)

set(symbols ${CMAKE_CURRENT_BINARY_DIR}/libmalt.map)
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/libmalt.map.in ${symbols} @ONLY)
check_linker_flag(C LINKER:--version-script=${symbols} MALT_HAS_VERSION_SCRIPTS)
if(BUILD_SHARED_LIBS AND MALT_HAS_VERSION_SCRIPTS)
  target_link_options(malt PRIVATE LINKER:--version-script=${symbols})
  set_property(TARGET malt APPEND PROPERTY LINK_DEPENDS ${symbols})
endif()
