/* SPDX-License-Identifier: MIT */
/* Host functions: which ones a worker has.
 *
 * The registry of a worker, MaltExports, maps names to functions. The worker's Julia side
 * knows the names only; a call brings the name (malt-export-call.c), and the function is
 * looked up when the call arrives. So exporting a name again is one store: calls that are
 * under way keep a reference to the function they began with.
 *
 * The lock guards the registry. It is also held while the slots export_function and
 * unexport_function are called, so that the worker hears of names in the order in which
 * the registry changed. The slots only queue. Whoever lets a function go does so without
 * the lock, because that may call foreign code (destroy).
 *
 * The end. The worker closes what is attached to it when it ends: everything is taken out, and
 * after that nothing is found and nothing can be added. */
#include "base/malt-error-private.h"
#include "ffi/malt-export-private.h"
#include "worker/malt-worker-state.h"

#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"

struct _MaltExports
{
  GMutex lock; /* guards what follows */
  gboolean is_closed;
  GHashTable *functions; /* (owned): name -> MaltExport (owned) */
  GSList *sources; /* (owned): of GSource (owned): calls that wait for a context */
};

/* One function */

MaltExport *
malt_export_new (const char *name, MaltExportFlags flags, MaltHostFunc func,
                 gpointer user_data, GDestroyNotify destroy)
{
  MaltExport *function = g_new0 (MaltExport, 1);

  g_atomic_ref_count_init (&function->ref_count);
  function->name = g_strdup (name);
  function->flags = flags;
  function->func = func;
  function->user_data = user_data;
  function->destroy = destroy;
  if (flags & (MALT_EXPORT_IN_CONTEXT | MALT_EXPORT_DESTROY_IN_CONTEXT))
    function->context = g_main_context_ref_thread_default ();
  if (flags & MALT_EXPORT_DESTROY_IN_CONTEXT)
    function->thread = g_thread_ref (g_thread_self ());
  return function;
}

MaltExport *
malt_export_ref (MaltExport *function)
{
  g_atomic_ref_count_inc (&function->ref_count);
  return function;
}

static void
let_go (MaltExport *function)
{
  if (function->context != NULL && function->thread != g_thread_self () &&
      !g_main_context_is_owner (function->context))
    malt_export_destroy_in_context (function);
  else if (malt_io_thread_is_current ())
    malt_export_run_destroy (function->destroy, function->user_data);
  else
    function->destroy (function->user_data);
}

void
malt_export_unref (MaltExport *function)
{
  if (!g_atomic_ref_count_dec (&function->ref_count))
    return;
  if (function->destroy != NULL)
    let_go (function);
  g_clear_pointer (&function->context, g_main_context_unref);
  g_clear_pointer (&function->thread, g_thread_unref);
  g_free (function->name);
  g_free (function);
}

/* The functions of a worker */

static gpointer
exports_new (void)
{
  MaltExports *exports = g_new0 (MaltExports, 1);

  g_mutex_init (&exports->lock);
  exports->functions = g_hash_table_new (g_str_hash, g_str_equal);
  return exports;
}

static void
unref_function (G_GNUC_UNUSED gpointer name, gpointer function,
                G_GNUC_UNUSED gpointer user_data)
{
  malt_export_unref (function);
}

static void
destroy_source (gpointer data)
{
  GSource *source = data;

  g_source_destroy (source);
  g_source_unref (source);
}

/* The worker has ended: lets all functions go, and drops calls that wait for a context. */
static void
exports_close (gpointer attachment)
{
  MaltExports *exports = attachment;
  GHashTable *functions;
  GSList *sources;

  g_mutex_lock (&exports->lock);
  exports->is_closed = TRUE;
  functions = exports->functions;
  exports->functions = g_hash_table_new (g_str_hash, g_str_equal);
  sources = g_steal_pointer (&exports->sources);
  g_mutex_unlock (&exports->lock);

  g_slist_free_full (sources, destroy_source);
  g_hash_table_foreach (functions, unref_function, NULL);
  g_hash_table_unref (functions);
}

static void
exports_free (gpointer attachment)
{
  MaltExports *exports = attachment;

  exports_close (exports);
  g_hash_table_unref (exports->functions);
  g_mutex_clear (&exports->lock);
  g_free (exports);
}

MaltExports *
malt_worker_get_exports (MaltWorker *worker)
{
  static const MaltAttachmentKind kind = {
    .make = exports_new,
    .close = exports_close,
    .free = exports_free,
  };

  return malt_worker_get_attachment (worker, &kind);
}

MaltExport *
malt_exports_dup (MaltExports *exports, const char *name)
{
  MaltExport *function;

  g_mutex_lock (&exports->lock);
  function = g_hash_table_lookup (exports->functions, name);
  if (function != NULL)
    malt_export_ref (function);
  g_mutex_unlock (&exports->lock);
  return function;
}

void
malt_exports_attach (MaltExports *exports, GSource *source, GMainContext *context)
{
  g_mutex_lock (&exports->lock);
  if (!exports->is_closed)
    {
      exports->sources = g_slist_prepend (exports->sources, g_source_ref (source));
      g_source_attach (source, context);
    }
  g_mutex_unlock (&exports->lock);
}

void
malt_exports_forget (MaltExports *exports, GSource *source)
{
  GSList *link;

  g_mutex_lock (&exports->lock);
  link = g_slist_find (exports->sources, source);
  exports->sources = g_slist_delete_link (exports->sources, link);
  g_mutex_unlock (&exports->lock);
  if (link != NULL)
    g_source_unref (source);
}

/* Names that come and go */

/* Takes the function over. The one that it replaces, if any. (transfer full) */
static MaltExport *
swap_locked (MaltExports *exports, MaltExport *function)
{
  gpointer replaced = NULL;

  g_hash_table_steal_extended (exports->functions, function->name, NULL, &replaced);
  g_hash_table_insert (exports->functions, function->name, function);
  return replaced;
}

/* Another thread may have exported the name again. */
void
malt_exports_take_back (MaltWorker *worker, MaltExport *function, const GError *error)
{
  gboolean is_given_up = g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT) ||
                         g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  MaltExports *exports = malt_worker_get_exports (worker);
  gboolean is_there;

  g_mutex_lock (&exports->lock);
  is_there = g_hash_table_lookup (exports->functions, function->name) == function;
  if (is_there)
    g_hash_table_steal (exports->functions, function->name);
  if (is_there && is_given_up)
    MALT_WORKER_GET_CLASS (worker)->unexport_function (worker, function->name);
  g_mutex_unlock (&exports->lock);
  if (is_there)
    malt_export_unref (function);
}

void
malt_exports_announce (MaltWorker *worker, MaltExport *function,
                       const MaltDirectFunction *direct, MaltFuture *future)
{
  MaltWorkerClass *klass = MALT_WORKER_GET_CLASS (worker);
  MaltExports *exports = malt_worker_get_exports (worker);
  MaltExport *replaced = NULL;

  g_mutex_lock (&exports->lock);
  if (!exports->is_closed)
    replaced = swap_locked (exports, malt_export_ref (function));
  if (direct != NULL)
    klass->export_direct (worker, function->name, direct, future);
  else
    klass->export_function (worker, function->name, function->flags, future);
  g_mutex_unlock (&exports->lock);
  g_clear_pointer (&replaced, malt_export_unref);
}

/**
 * malt_worker_unexport:
 * @worker: a worker
 * @name: name of a host function
 *
 * Takes a host function back. Calls that are under way finish; later ones throw in Julia.
 * Never blocks.
 *
 * Returns: %FALSE: no function was exported by that name
 */
gboolean
malt_worker_unexport (MaltWorker *worker, const char *name)
{
  g_autoptr (MaltExport) function = NULL;
  MaltExports *exports;
  gpointer found = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  if (malt_platform_is_forked (NULL))
    return FALSE;
  exports = malt_worker_get_exports (worker);
  g_mutex_lock (&exports->lock);
  if (g_hash_table_steal_extended (exports->functions, name, NULL, &found))
    MALT_WORKER_GET_CLASS (worker)->unexport_function (worker, name);
  g_mutex_unlock (&exports->lock);
  function = found;
  return function != NULL;
}
