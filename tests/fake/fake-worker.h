/* SPDX-License-Identifier: MIT */
/* The fake backends: workers without Julia, for tests of everything that does not depend
 * on Julia. */
#pragma once

#include <malt/malt-abstract-worker.h>

G_BEGIN_DECLS

/*
 * Two backends stand in this folder. `fake` honours every slot that needs no Julia;
 * `fake-bare` honours only what it must, so that tests see what core does with slots that
 * are missing. Both count what happens to them.
 *
 * Their evaluator knows a few "functions", by name, with at most one argument: as the
 * function of a call, or as source text, where the argument follows the name after a
 * space ("sleep_ms 50"). The table in fake-functions.c lists them.
 */

#define FAKE_BACKEND_NAME "fake"
#define FAKE_BARE_BACKEND_NAME "fake-bare"

/* The slots whose calls are counted. */
typedef enum
{
  FAKE_SLOT_REMOTE_CALL,
  FAKE_SLOT_REMOTE_DO,
  FAKE_SLOT_INTERRUPT,
  FAKE_SLOT_IS_RUNNING,
  FAKE_SLOT_STOP,
  FAKE_SLOT_KILL,
  FAKE_SLOT_CHANNEL_OPEN,
  FAKE_SLOT_CHANNEL_CREDIT,
  FAKE_SLOT_CHANNEL_PUT,
  FAKE_SLOT_CHANNEL_CLOSE,
  FAKE_SLOT_CHANNEL_STATE,
  FAKE_SLOT_CHANNEL_FORGET,
  FAKE_N_SLOTS,
} FakeSlot;

/* Makes both backends known to the library. May be called more than once. */
gboolean fake_backends_register (GError **error);

/* How often a slot was called, in all workers together. */
guint fake_get_n_slot_calls (FakeSlot slot);

/* How often malt_worker_complete_call() said that nobody waits for an answer any more. */
guint fake_get_n_refused_answers (void);

/* How often malt_channel_push() refused an item that had no credit. */
guint fake_get_n_refused_items (void);

/* Workers, evaluators, calls and channels that have been made and not freed. */
guint fake_get_n_live (void);

G_END_DECLS
