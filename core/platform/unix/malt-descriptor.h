/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the library makes are none of the numbers that have a meaning: 0 to 2,
 * which programs take for their standard streams even when they are closed. Whatever makes
 * one passes it through here.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The first number that is ours to use. */
#define MALT_DESCRIPTOR_FIRST 3

/* Consumes @fd; gives the same file at such a number, close-on-exec. -1, and errno: it
 * cannot, or @fd was -1. */
int malt_descriptor_raise (int fd);

/* Both of a pair; FALSE, and errno: neither is left open. */
gboolean malt_descriptor_raise_pair (int fds[2]);

/* Errors: RESOURCES, FAILED. */
gboolean malt_descriptor_open_pipe (int fds[2], GError **error);

/* May a file have that size (`ulimit -f`), also one in memory? A write beyond is a
 * signal, by which this process ends. */
gboolean malt_descriptor_may_hold (gsize n_bytes);

G_END_DECLS
