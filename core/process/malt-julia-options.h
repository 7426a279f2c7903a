/* SPDX-License-Identifier: MIT */
/* The options of every backend whose workers are processes: entries of a table of MaltOption. */
#pragma once

#include <malt/malt-config.h>

G_BEGIN_DECLS

extern const char *const malt_julia_stdin_choices[];
extern const char *const malt_julia_descriptors_choices[];
extern const char *const malt_julia_output_choices[];

#define MALT_JULIA_OPTIONS                                                               \
  { .name = "julia",                                                                     \
    .type = MALT_OPTION_STRING,                                                          \
    .is_common = TRUE,                                                                   \
    .summary = "the julia to run: a path, a name, or a +CHANNEL of juliaup" },           \
      { .name = "exeflags",                                                              \
        .type = MALT_OPTION_STRINGS,                                                     \
        .is_common = TRUE,                                                               \
        .summary = "further command-line flags of julia" },                              \
      { .name = "threads",                                                               \
        .type = MALT_OPTION_STRING,                                                      \
        .is_common = TRUE,                                                               \
        .summary = "number of Julia threads, or auto" },                                 \
      { .name = "project",                                                               \
        .type = MALT_OPTION_STRING,                                                      \
        .is_common = TRUE,                                                               \
        .summary = "project environment: a directory, or @. and the like" },             \
      { .name = "cwd",                                                                   \
        .type = MALT_OPTION_STRING,                                                      \
        .is_common = TRUE,                                                               \
        .summary = "working directory; the host's unless set" },                         \
      { .name = "env",                                                                   \
        .type = MALT_OPTION_STRINGS,                                                     \
        .is_common = TRUE,                                                               \
        .summary = "environment variables to set, each NAME=VALUE" },                    \
      { .name = "env-policy",                                                            \
        .type = MALT_OPTION_STRINGS,                                                     \
        .default_value = "clean",                                                        \
        .is_common = TRUE,                                                               \
        .summary =                                                                       \
            "what of the host's environment is passed on: clean, inherit, or names" },   \
      { .name = "stdin",                                                                 \
        .type = MALT_OPTION_ENUM,                                                        \
        .default_value = "null",                                                         \
        .choices = malt_julia_stdin_choices,                                             \
        .is_common = TRUE,                                                               \
        .summary = "standard input of evaluated code: empty, or the host's" },           \
      { .name = "descriptors",                                                           \
        .type = MALT_OPTION_ENUM,                                                        \
        .default_value = "none",                                                         \
        .choices = malt_julia_descriptors_choices,                                       \
        .is_common = TRUE,                                                               \
        .summary = "open files of the host beyond the standard streams: none, or those " \
                   "that are not close-on-exec, under the same numbers" },               \
      { .name = "output",                                                                \
        .type = MALT_OPTION_ENUM,                                                        \
        .default_value = "forward",                                                      \
        .choices = malt_julia_output_choices,                                            \
        .is_common = TRUE,                                                               \
        .summary = "output of evaluated code: forward to the host's, to the signal "     \
                   "output, discard it, or inherit the host's own descriptors" },        \
      { .name = "output-prefix",                                                         \
        .type = MALT_OPTION_STRING,                                                      \
        .default_value = "[Worker PID]: ",                                               \
        .is_common = TRUE,                                                               \
        .summary = "what forwarded lines begin with; PID stands for the process id" },   \
      { .name = "start-timeout-ms",                                                      \
        .type = MALT_OPTION_INT,                                                         \
        .default_value = "60000",                                                        \
        .minimum = 1,                                                                    \
        .maximum = G_MAXINT32,                                                           \
        .is_common = TRUE,                                                               \
        .summary = "how long a launch may take, in milliseconds" },                      \
      { .name = "exit-timeout-ms",                                                       \
        .type = MALT_OPTION_INT,                                                         \
        .default_value = "15000",                                                        \
        .minimum = 0,                                                                    \
        .maximum = G_MAXINT32,                                                           \
        .is_common = TRUE,                                                               \
        .summary =                                                                       \
            "how long a stopped worker may take before SIGTERM, in milliseconds" },      \
      { .name = "term-timeout-ms",                                                       \
        .type = MALT_OPTION_INT,                                                         \
        .default_value = "15000",                                                        \
        .minimum = 0,                                                                    \
        .maximum = G_MAXINT32,                                                           \
        .is_common = TRUE,                                                               \
        .summary = "how long it may take after that before SIGKILL, in milliseconds" },  \
  {                                                                                      \
    .name = "max-frame-bytes", .type = MALT_OPTION_INT, .default_value = "8589934592",   \
    .minimum = 65536, .maximum = G_MAXINT64, .is_common = TRUE,                          \
    .summary = "the greatest message that is accepted, in bytes"                         \
  }

G_END_DECLS
