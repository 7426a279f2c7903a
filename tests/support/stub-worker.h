/* SPDX-License-Identifier: MIT */
/* A backend that does only what the test tells it: answers come from the test, by
 * malt_worker_complete_call(). */
#pragma once

#include <malt/malt-abstract-worker.h>

G_BEGIN_DECLS

#define STUB_TYPE_WORKER (stub_worker_get_type ())
G_DECLARE_FINAL_TYPE (StubWorker, stub_worker, STUB, WORKER, MaltWorker)

/* A call of this function is answered with 42 inside the slot. */
#define STUB_AT_ONCE "at_once"

/* What the slots have seen. Read and written atomically where threads matter. */
typedef struct
{
  guint n_calls;
  guint n_dos;
  guint n_stops;
  guint n_kills;
  guint n_forgotten;
  guint n_credit;
  guint32 last_channel_id;
  guint32 last_request_id;
  guint32 last_interrupted_id;
  guint n_disposed;
  guint64 last_released_handle; /* no gap before it: it is compared as a whole */
  gint64 exit_timeout_ms;
  gint64 term_timeout_ms;
} StubRecord;

extern StubRecord stub_record;

/* Registers the backend `stub` if need be, forgets what was recorded and launches a worker. */
MaltWorker *stub_worker_launch (void);

/* Registers the backend `stub`, and `stub-shared`, which does not isolate. */
void stub_worker_register (void);

/* The worker ends, with a signal. */
void stub_worker_end (MaltWorker *worker, int signum);

G_END_DECLS
