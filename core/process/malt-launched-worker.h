/* SPDX-License-Identifier: MIT */
/* MaltLaunchedWorker: a MaltLinkWorker whose Julia is a process that has to be launched
 * and ended. Its class fills in construction, stop and kill, the connection's `drive`,
 * and the end in the background of a worker that is let go. A backend derives from it and
 * provides the rest. Internal to the library. */
#pragma once

#include "link/malt-link-worker.h"
#include "process/malt-launch.h"

G_BEGIN_DECLS

#define MALT_TYPE_LAUNCHED_WORKER (malt_launched_worker_get_type ())
#define MALT_LAUNCHED_WORKER(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), MALT_TYPE_LAUNCHED_WORKER, MaltLaunchedWorker))
#define MALT_LAUNCHED_WORKER_GET_CLASS(obj) \
  (G_TYPE_INSTANCE_GET_CLASS ((obj), MALT_TYPE_LAUNCHED_WORKER, MaltLaunchedWorkerClass))
#define MALT_LAUNCHED_WORKER_CLASS(klass) \
  (G_TYPE_CHECK_CLASS_CAST ((klass), MALT_TYPE_LAUNCHED_WORKER, MaltLaunchedWorkerClass))

typedef struct
{
  MaltLinkWorker parent_instance;
  MaltLaunch *launch; /* (unowned) (nullable): the evaluator's; NULL before init */
} MaltLaunchedWorker;

typedef struct
{
  MaltLinkWorkerClass parent_class;

  /* All must be provided. */

  /* Begins to launch, by the options of the worker; NULL and an error if that cannot
   * even begin. The launch lives as long as the worker. Once, before the others.
   * Nothing is read from the evaluator and nothing is watched yet: no slot is called
   * before the worker knows its evaluator. (transfer none) */
  MaltLaunch *(*begin) (MaltWorker *worker, GError **error);

  /* From here on slots are called, in any thread. What fails is told to the launch.
   * Once, after begin. */
  void (*start) (MaltWorker *worker);

  /* Begins to end, or makes an end that has begun come sooner. @task (nullable) (transfer
   * full) returns TRUE after the end. Any thread. */
  void (*end) (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
               GTask *task);

  /* FALSE: this process may not. Nothing, if there is no process any more. Any thread. */
  gboolean (*send_signal) (MaltWorker *worker, int signum);
} MaltLaunchedWorkerClass;

GType malt_launched_worker_get_type (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltLaunchedWorker, g_object_unref)

G_END_DECLS
