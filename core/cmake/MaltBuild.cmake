# SPDX-License-Identifier: MIT
# How every C target of this project is compiled, and the functions with which the folders add to the library.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
  endif()
endif()

# The folder of core/platform with the files for the system, and what of the system itself is linked.
if(WIN32)
  set(MALT_PLATFORM windows)
  set(MALT_SYSTEM_LIBRARIES ws2_32 bcrypt advapi32)
else()
  set(MALT_PLATFORM unix)
  set(MALT_SYSTEM_LIBRARIES Threads::Threads m)
endif()

# Flags that all our targets share; an interface, so that nothing of it reaches users of the library.
add_library(malt-flags INTERFACE)
target_compile_options(malt-flags INTERFACE -Wall -Wextra -Wshadow -Wconversion
  $<$<BOOL:${MALT_WERROR}>:-Werror>)
# No binary names the folder in which it was built; a debugger finds the sources from the top of the tree.
target_compile_options(malt-flags INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.
  -ffile-prefix-map=${PROJECT_BINARY_DIR}=./build)
target_compile_definitions(malt-flags INTERFACE G_LOG_DOMAIN="libmalt" _GNU_SOURCE
  GLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_72)
if(MALT_SANITIZE)
  target_compile_options(malt-flags INTERFACE -fsanitize=${MALT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(malt-flags INTERFACE -fsanitize=${MALT_SANITIZE})
endif()
target_include_directories(malt-flags INTERFACE ${PROJECT_SOURCE_DIR}/core/include
  ${PROJECT_BINARY_DIR}/core/include)
target_link_libraries(malt-flags INTERFACE PkgConfig::MALT_PUBLIC ${MALT_SYSTEM_LIBRARIES})

# malt_choose_sources(<list variable>): drops what is for other platforms, by the end of its name: -unix and -windows are one
# or the other, -linux is for Linux and -elsewhere for all others.
function(malt_choose_sources variable)
  set(others -windows -elsewhere)
  if(WIN32)
    set(others -unix -linux)
  elseif(NOT CMAKE_SYSTEM_NAME STREQUAL Linux)
    set(others -windows -linux)
  endif()
  foreach(other ${others})
    list(FILTER ${variable} EXCLUDE REGEX "${other}\\.c$")
  endforeach()
  set(${variable} ${${variable}} PARENT_SCOPE)
endfunction()

# Sources that become part of the library, but those for other platforms. They may include internal headers of core.
function(malt_add_sources)
  set(sources ${ARGN})
  malt_choose_sources(sources)
  list(TRANSFORM sources PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ REGEX "^[^/]")
  set_property(GLOBAL APPEND PROPERTY MALT_SOURCES ${sources})
endfunction()

# malt_add_backend(<folder name> <C prefix of its class> <source>...): adds a backend to the library and to
# the generated table of built-in backends.
function(malt_add_backend name prefix)
  malt_add_sources(${ARGN})
  set_property(GLOBAL APPEND PROPERTY MALT_BACKEND_PREFIXES ${prefix})
endfunction()

# malt_add_resource(<path below /org/libmalt/> <file>): compiles a file into the library.
function(malt_add_resource path file)
  get_filename_component(absolute ${file} ABSOLUTE)
  set_property(GLOBAL APPEND PROPERTY MALT_RESOURCES "${path}=${absolute}")
endfunction()
