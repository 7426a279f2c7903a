/* SPDX-License-Identifier: MIT */
/* Reads the files of tests/vectors. */
#pragma once

#include "value/malt-value-private.h"

/* One line. */
typedef struct
{
  char *name; /* (owned): first column */
  char *second; /* (owned): second column, as it stands there */
  char *third; /* (owned): third column, as it stands there */
} MaltVector;

/* The lines of a file below tests/vectors: (element-type MaltVector). NULL if it
 * cannot be read. */
GPtrArray *malt_vectors_load (const char *file);

/* The bytes of a text of hexadecimal digits. */
GBytes *malt_vectors_unhex (const char *hex);

/* Turns "\n" and "\\" into what they stand for. */
char *malt_vectors_unescape (const char *text);

/* Reads a body that holds one value. */
MaltValue *malt_vectors_decode (GBytes *body, GError **error);

/* Writes it again. */
GBytes *malt_vectors_encode (MaltValue *value, GError **error);

/* Records a failure of a CUnit test unless the digits are one value that is written as it
 * was read. */
void malt_vectors_check_round_trip (const char *name, const char *hex);
