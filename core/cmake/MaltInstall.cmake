# SPDX-License-Identifier: MIT
# What `cmake --install` puts where. Components: runtime is what programs need to run, development what is needed to build
# them, doc the documentation. What is installed names no folder but by its place in the prefix, so the prefix can be moved.
include(CMakePackageConfigHelpers)

set(malt_name libmalt-${PROJECT_VERSION_MAJOR})
set(malt_backenddir ${CMAKE_INSTALL_LIBDIR}/${malt_name}/backends)
set(malt_typelibdir ${CMAKE_INSTALL_LIBDIR}/girepository-1.0)
set(malt_girdir ${CMAKE_INSTALL_DATADIR}/gir-1.0)
set(malt_packagedir ${CMAKE_INSTALL_LIBDIR}/cmake/Malt)

# malt_relative_path(<variable> <from> <to>): the way from one folder to another, both in the prefix. What was given as an
# absolute path is outside of it, and stays where it is.
function(malt_relative_path variable from to)
  cmake_path(ABSOLUTE_PATH from BASE_DIRECTORY /prefix NORMALIZE)
  cmake_path(ABSOLUTE_PATH to BASE_DIRECTORY /prefix NORMALIZE)
  file(RELATIVE_PATH way ${from} ${to})
  string(REGEX REPLACE "/$" "" way "${way}")
  set(${variable} ${way} PARENT_SCOPE)
endfunction()

# malt_install_program(<target> <manual page> [component]): a program that finds the library from where it is itself.
function(malt_install_program target page)
  if(NOT MALT_INSTALL)
    return()
  endif()
  set(component ${ARGN} runtime)
  list(GET component 0 component)
  if(BUILD_SHARED_LIBS AND NOT IS_ABSOLUTE ${CMAKE_INSTALL_BINDIR} AND NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
    malt_relative_path(way ${CMAKE_INSTALL_BINDIR} ${CMAKE_INSTALL_LIBDIR})
    set_target_properties(${target} PROPERTIES INSTALL_RPATH $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>/${way})
  elseif(BUILD_SHARED_LIBS)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH ${CMAKE_INSTALL_FULL_LIBDIR})
  endif()
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT ${component})
endfunction()

if(NOT MALT_INSTALL)
  return()
endif()

# The library and its headers.
install(TARGETS malt EXPORT MaltTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${public_headers} ${generated}/malt-version.h ${generated}/malt-enum-types.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/malt COMPONENT development)
install(DIRECTORY DESTINATION ${malt_backenddir} COMPONENT runtime
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
if(MALT_INTROSPECTION)
  install(FILES ${gir} DESTINATION ${malt_girdir} COMPONENT development)
  install(FILES ${typelib} DESTINATION ${malt_typelibdir} COMPONENT runtime)
endif()

# malt.pc, whose prefix is where it is itself.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  malt_relative_path(way ${CMAKE_INSTALL_LIBDIR}/pkgconfig .)
  set(pc_prefix \${pcfiledir}/${way})
endif()
foreach(folder bindir libdir includedir)
  string(TOUPPER CMAKE_INSTALL_${folder} variable)
  cmake_path(ABSOLUTE_PATH ${variable} BASE_DIRECTORY \${prefix} OUTPUT_VARIABLE pc_${folder})
endforeach()
foreach(folder girdir typelibdir backenddir)
  cmake_path(ABSOLUTE_PATH malt_${folder} BASE_DIRECTORY \${prefix} OUTPUT_VARIABLE pc_${folder})
endforeach()
foreach(kind PUBLIC PRIVATE)
  list(JOIN MALT_${kind}_PACKAGES ", " pc_packages_${kind})
  string(REPLACE ">=" " >= " pc_packages_${kind} "${pc_packages_${kind}}")
endforeach()
set(pc_system_libs "-pthread -lm")
if(WIN32)
  list(TRANSFORM MALT_SYSTEM_LIBRARIES PREPEND -l OUTPUT_VARIABLE pc_system_libs)
  list(JOIN pc_system_libs " " pc_system_libs)
endif()
configure_file(malt.pc.in malt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/malt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# The package of CMake.
configure_package_config_file(cmake/MaltConfig.cmake.in MaltConfig.cmake INSTALL_DESTINATION ${malt_packagedir})
# Before version 1 a new minor version may change anything.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(MaltConfigVersion.cmake COMPATIBILITY ${compatibility})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/MaltConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/MaltConfigVersion.cmake
  DESTINATION ${malt_packagedir} COMPONENT development)
install(EXPORT MaltTargets NAMESPACE Malt:: DESTINATION ${malt_packagedir} COMPONENT development)

# The documentation, in folders as in the source tree, so that its links lead somewhere.
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc
  PATTERN "*.expected" EXCLUDE PATTERN "*~" EXCLUDE PATTERN ".*" EXCLUDE)
