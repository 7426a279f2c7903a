# SPDX-License-Identifier: MIT
# What a program for Windows needs beside it: GLib's libraries. Cross-built ones come from the folder in MALT_WINDOWS_SYSROOT; elsewhere they are
# where they were installed.
if(NOT MALT_WINDOWS_SYSROOT)
  return()
endif()
foreach(file libglib-2.0-0.dll libgobject-2.0-0.dll libgio-2.0-0.dll libgmodule-2.0-0.dll)
  configure_file(${MALT_WINDOWS_SYSROOT}/bin/${file} ${PROJECT_BINARY_DIR}/${file} COPYONLY)
  install(PROGRAMS ${MALT_WINDOWS_SYSROOT}/bin/${file} DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
endforeach()
