# SPDX-License-Identifier: MIT
# Malt-0.gir and Malt-0.typelib (0 is the major version), from the public headers and the documentation comments beside the code.

pkg_check_modules(GIR REQUIRED gobject-introspection-1.0>=1.66)
pkg_get_variable(G_IR_SCANNER gobject-introspection-1.0 g_ir_scanner)
pkg_get_variable(G_IR_COMPILER gobject-introspection-1.0 g_ir_compiler)

set(gir ${PROJECT_BINARY_DIR}/Malt-${PROJECT_VERSION_MAJOR}.gir)
set(typelib ${PROJECT_BINARY_DIR}/Malt-${PROJECT_VERSION_MAJOR}.typelib)
# The documentation comments that it reads stand in the layers that have public functions.
file(GLOB gir_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/base/*.c ${CMAKE_CURRENT_SOURCE_DIR}/value/*.c ${CMAKE_CURRENT_SOURCE_DIR}/selection/*.c ${CMAKE_CURRENT_SOURCE_DIR}/worker/*.c ${CMAKE_CURRENT_SOURCE_DIR}/ffi/*.c)
set(gir_headers ${introspected_headers})

set(gir_environment CC=${CMAKE_C_COMPILER})
if(MALT_SANITIZE)
  list(APPEND gir_environment "LDFLAGS=-fsanitize=${MALT_SANITIZE}" ASAN_OPTIONS=detect_leaks=0)
endif()
add_custom_command(OUTPUT ${gir}
  COMMAND ${CMAKE_COMMAND} -E env ${gir_environment} ${G_IR_SCANNER}
          --namespace=Malt --nsversion=${PROJECT_VERSION_MAJOR} --identifier-prefix=Malt --symbol-prefix=malt
          --warn-all --warn-error --quiet --pkg-export=malt --c-include=malt/malt.h
          --include=Gio-2.0 --pkg=gio-2.0
          --sources-top-dirs=${PROJECT_SOURCE_DIR} --sources-top-dirs=${PROJECT_BINARY_DIR}
          -DMALT_COMPILATION -I${CMAKE_CURRENT_SOURCE_DIR}/include -I${CMAKE_CURRENT_BINARY_DIR}/include
          --library=malt -L${PROJECT_BINARY_DIR} --output=${gir}
          ${gir_headers} ${generated}/malt-version.h ${generated}/malt-enum-types.h ${gir_sources}
  DEPENDS malt ${gir_headers} ${gir_sources} ${generated}/malt-enum-types.h
  COMMENT "Malt-${PROJECT_VERSION_MAJOR}.gir")
add_custom_command(OUTPUT ${typelib}
  COMMAND ${G_IR_COMPILER} --output=${typelib} ${gir}
  DEPENDS ${gir} COMMENT "Malt-${PROJECT_VERSION_MAJOR}.typelib")
add_custom_target(malt-introspection ALL DEPENDS ${typelib})
