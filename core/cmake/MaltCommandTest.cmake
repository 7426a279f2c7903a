# SPDX-License-Identifier: MIT
# Tests that are commands: scripts and programs that use what was built, as its users do.
include_guard()

# malt_name_test(<variable> <name>): the name of a test. Those for Windows may run among those of the same names for
# the machine that builds.
function(malt_name_test variable name)
  if(WIN32 AND NOT name MATCHES windows)
    string(APPEND name -windows)
  endif()
  set(${variable} ${name} PARENT_SCOPE)
endfunction()

# malt_label_by_folder(): all tests of this folder get its name as a label, once all of them are there.
function(malt_label_by_folder)
  get_property(is_labelled DIRECTORY PROPERTY MALT_IS_LABELLED)
  if(NOT is_labelled)
    set_property(DIRECTORY PROPERTY MALT_IS_LABELLED TRUE)
    cmake_language(DEFER CALL malt_add_folder_labels)
  endif()
endfunction()

function(malt_add_folder_labels)
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  get_property(tests DIRECTORY PROPERTY TESTS)
  set_property(TEST ${tests} APPEND PROPERTY LABELS ${folder})
endfunction()

# malt_add_command_test(<name> [JULIA] [TIMEOUT seconds] [ENVIRONMENT NAME=value...] [LABELS label...]
#                       COMMAND word...)
# A status of 77 means that the test could not run here. With JULIA, the command finds a working julia
# in MALT_JULIA. A benchmark runs while no other test does.
function(malt_add_command_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "JULIA" "TIMEOUT" "ENVIRONMENT;LABELS;COMMAND")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  # The limit is for what hangs: another test may run beside this one. What may take long is begun first.
  math(EXPR arg_TIMEOUT "2 * ${arg_TIMEOUT}")
  if(arg_JULIA)
    list(PREPEND arg_COMMAND sh ${PROJECT_SOURCE_DIR}/tests/support/with-julia.sh)
  endif()
  # An empty MALT_CONFIG: no test depends on the key files of this machine.
  list(APPEND arg_ENVIRONMENT PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support MALT_CONFIG= MALT_SOURCE_DIR=${PROJECT_SOURCE_DIR}
    MALT_BUILD_DIR=${PROJECT_BINARY_DIR})
  if(WIN32)
    list(APPEND arg_LABELS windows)
    list(APPEND arg_ENVIRONMENT MALT_WINDOWS_SYSROOT=${MALT_WINDOWS_SYSROOT})
  endif()
  malt_name_test(test ${name})
  add_test(NAME ${test} COMMAND ${arg_COMMAND})
  set_tests_properties(${test} PROPERTIES TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "${arg_ENVIRONMENT}" LABELS "${arg_LABELS}")
  if(WIN32)
    set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED wine)
  endif()
  if("benchmark" IN_LIST arg_LABELS)
    set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
  endif()
  malt_label_by_folder()
endfunction()
