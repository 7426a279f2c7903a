/* SPDX-License-Identifier: MIT */
/* A weak reference to a worker that many share. */
#include "worker/malt-weak-worker.h"

struct _MaltWeakWorker
{
  gatomicrefcount ref_count;
  GWeakRef worker;
};

MaltWeakWorker *
malt_weak_worker_new (MaltWorker *worker)
{
  MaltWeakWorker *weak = g_new0 (MaltWeakWorker, 1);

  g_atomic_ref_count_init (&weak->ref_count);
  g_weak_ref_init (&weak->worker, worker);
  return weak;
}

MaltWeakWorker *
malt_weak_worker_ref (MaltWeakWorker *weak)
{
  g_atomic_ref_count_inc (&weak->ref_count);
  return weak;
}

void
malt_weak_worker_unref (MaltWeakWorker *weak)
{
  if (!g_atomic_ref_count_dec (&weak->ref_count))
    return;
  g_weak_ref_clear (&weak->worker);
  g_free (weak);
}

MaltWorker *
malt_weak_worker_dup (MaltWeakWorker *weak)
{
  return g_weak_ref_get (&weak->worker);
}
