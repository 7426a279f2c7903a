/* SPDX-License-Identifier: MIT */
/* Bodies that are nearly right, for whoever feeds them to a reader or to a link. */
#pragma once

#include <glib.h>

/* The bodies of tests/vectors: (element-type GBytes) (transfer full). */
GPtrArray *fuzz_load_bodies (void);

/* (transfer none) */
GBytes *fuzz_pick (GRand *random, GPtrArray *bodies);

/* A number at which counts and sizes go wrong. */
guint64 fuzz_pick_number (GRand *random);

/* Changes one place of a body. */
void fuzz_mutate (GRand *random, GByteArray *body, GPtrArray *bodies);
