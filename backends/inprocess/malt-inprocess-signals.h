/* SPDX-License-Identifier: MIT */
/* What the initialisation of Julia does to the signals of the host, undone. One file per
 * platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Around the loading of libjulia. */
void malt_inprocess_signals_before_load (void);
void malt_inprocess_signals_after_load (void);

/* Both in the thread that initialises Julia, which is Julia's from then on. */
void malt_inprocess_signals_before_init (void);
void malt_inprocess_signals_after_init (void);

G_END_DECLS
