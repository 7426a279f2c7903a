/* SPDX-License-Identifier: MIT */
/* Host functions: a call from Julia, from its arrival to its answer.
 *
 * A call arrives in the thread that reads, which must not run it: that is the I/O thread,
 * or a caller of the host who waits for an answer of his own, perhaps of the very call that
 * needs the function. So it is handed on:
 *
 *   - to a thread of the library's, see malt-host-threads.c;
 *   - or to a source of the main context that the function was exported in.
 *
 * A call that waits for its thread or context refers to the worker weakly, so it does not
 * keep it alive; while the function runs there is a strong reference. A source that waits
 * is known to the registry, which destroys it when the worker ends: nobody may run the
 * context any more.
 *
 * The answer goes through the function that the backend has given with the call. It is the
 * backend's business that this is harmless when the worker is gone. */
#include "base/malt-error-private.h"
#include "ffi/malt-export-private.h"
#include "ffi/malt-host-threads.h"
#include "platform/malt-platform.h"
#include "worker/malt-worker-private.h"

#include <malt/malt-host-call.h>

#define MAX_NAME_CHARS 100

typedef struct
{
  MaltWeakWorker *worker; /* (owned) */
  MaltExport *function; /* (owned) (nullable): NULL: there is none of that name */
  guint32 id;
  MaltValue *arguments; /* (owned): a tuple */
  MaltHostReply reply;
  gpointer reply_data; /* (owned), if there is a destroy */
  GDestroyNotify reply_destroy; /* (nullable) */
} HostCall;

/* Takes both over. */
static void
answer (HostCall *call, MaltValue *value, GError *error)
{
  g_autoptr (MaltValue) nothing = malt_value_new_nothing ();

  call->reply (call->id, value != NULL || error != NULL ? value : nothing, error,
               call->reply_data);
  g_clear_pointer (&value, malt_value_unref);
  g_clear_error (&error);
}

static void
host_call_free (gpointer data)
{
  HostCall *call = data;

  if (call->reply_destroy != NULL)
    call->reply_destroy (call->reply_data);
  g_clear_pointer (&call->function, malt_export_unref);
  malt_value_unref (call->arguments);
  malt_weak_worker_unref (call->worker);
  g_free (call);
}

/* Running */

static MaltValue *
call_function (HostCall *call, MaltWorker *worker, GError **error)
{
  gsize n = malt_value_get_n_children (call->arguments);
  g_autoptr (GPtrArray) arguments =
      g_ptr_array_new_full ((guint) n + 1, (GDestroyNotify) malt_value_unref);

  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (arguments, malt_value_dup_child (call->arguments, i));
  return call->function->func (worker, (MaltValue **) arguments->pdata, n,
                               call->function->user_data, error);
}

/* Not for a worker that has ended in the meantime. Function and worker are let go before the
 * answer is sent, so who has it can rely on that. */
static void
run_call (HostCall *call)
{
  MaltWorker *worker = malt_weak_worker_dup (call->worker);
  gboolean is_wanted = worker != NULL && malt_worker_is_alive (worker);
  MaltValue *value = NULL;
  GError *error = NULL;

  if (is_wanted)
    value = call_function (call, worker, &error);
  if (error != NULL)
    g_clear_pointer (&value, malt_value_unref);
  g_clear_pointer (&call->function, malt_export_unref);
  g_clear_object (&worker);
  if (is_wanted)
    answer (call, value, error);
}

/* What the threads do: a call, or the destroy notify of a function that went in the
 * I/O thread. */
typedef struct
{
  MaltHostWork base;
  HostCall *call; /* (owned) (nullable) */
  GDestroyNotify destroy; /* (nullable) */
  gpointer user_data;
} Work;

static void
run_work (MaltHostWork *base)
{
  Work *work = (Work *) base;

  if (work->destroy != NULL)
    work->destroy (work->user_data);
  if (work->call != NULL)
    {
      run_call (work->call);
      host_call_free (work->call);
    }
  g_free (work);
}

static void
refuse_work (MaltHostWork *base)
{
  Work *work = (Work *) base;

  answer (work->call, NULL,
          g_error_new (MALT_ERROR, MALT_ERROR_FAILED,
                       "%s: expected a thread to run it in, got none",
                       work->call->function->name));
  host_call_free (work->call);
  g_free (work);
}

static void
push_work (const Work *work)
{
  malt_host_threads_push (g_memdup2 (work, sizeof *work));
}

void
malt_export_run_destroy (GDestroyNotify destroy, gpointer user_data)
{
  push_work (&(Work){ .base.run = run_work, .destroy = destroy, .user_data = user_data });
}

/* In the context of the exporter */

typedef struct
{
  GDestroyNotify destroy;
  gpointer user_data;
} Farewell;

/* Also if the context is freed before it was run again. */
static void
say_farewell (gpointer data)
{
  Farewell *farewell = data;

  farewell->destroy (farewell->user_data);
  g_free (farewell);
}

static gboolean
on_farewell (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_REMOVE;
}

void
malt_export_destroy_in_context (MaltExport *function)
{
  Farewell *farewell = g_new (Farewell, 1);
  GSource *source = g_idle_source_new ();

  *farewell = (Farewell){ function->destroy, function->user_data };
  g_source_set_static_name (source, "malt: end of a host function");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_farewell, farewell, say_farewell);
  g_source_attach (source, function->context);
  g_source_unref (source);
}

static void
forget_current_source (HostCall *call)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (call->worker);

  if (worker != NULL)
    malt_exports_forget (malt_worker_get_exports (worker), g_main_current_source ());
}

static gboolean
on_context (gpointer data)
{
  if (malt_platform_is_forked (NULL))
    return G_SOURCE_REMOVE;
  forget_current_source (data);
  run_call (data);
  return G_SOURCE_REMOVE;
}

/* Takes the call over. */
static void
queue_in_context (HostCall *call, MaltWorker *worker)
{
  GSource *source = g_idle_source_new ();

  g_source_set_static_name (source, "malt: host function");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_context, call, host_call_free);
  malt_exports_attach (malt_worker_get_exports (worker), source, call->function->context);
  g_source_unref (source);
}

/* Arrival */

static GError *
check_call (HostCall *call, const char *name, MaltValue *keywords)
{
  g_autofree char *shown = NULL;

  if (call->function == NULL)
    {
      shown = malt_text_to_line (name, MAX_NAME_CHARS);
      return g_error_new (MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                          "the host exports no function %s", shown);
    }
  if (keywords != NULL && malt_value_get_kind (keywords) == MALT_VALUE_NAMED_TUPLE &&
      malt_value_get_n_children (keywords) > 0)
    {
      shown = malt_text_to_line (malt_value_get_name (keywords, 0), MAX_NAME_CHARS);
      return g_error_new (MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                          "%s: expected no keyword arguments, got %s",
                          call->function->name, shown);
    }
  return NULL;
}

/* A wrapped worker has no functions of its own. */
static void
hand_to_front (MaltWorker *front, guint32 host_call_id, const char *name,
               MaltValue *arguments, MaltValue *keywords, MaltHostReply reply,
               gpointer user_data, GDestroyNotify destroy)
{
  if (front != NULL)
    malt_worker_host_call (front, host_call_id, name, arguments, keywords, reply,
                           user_data, destroy);
  else if (destroy != NULL)
    destroy (user_data);
}

/**
 * malt_worker_host_call:
 * @worker: a worker
 * @host_call_id: the evaluator's number of the call
 * @name: which function
 * @arguments: a tuple
 * @keywords: (nullable): a named tuple
 * @reply: takes the answer, in any thread; not called if the worker ends before
 * @user_data: passed to @reply
 * @destroy: (nullable): called once with @user_data, after @reply if that is called
 *
 * Runs a host function that evaluated code calls. Returns at once, and never runs the
 * function in the calling thread. For backends; may be called in any thread, but not
 * while the backend holds a lock that @reply or a slot takes.
 */
void
malt_worker_host_call (MaltWorker *worker, guint32 host_call_id, const char *name,
                       MaltValue *arguments, MaltValue *keywords, MaltHostReply reply,
                       gpointer user_data, GDestroyNotify destroy)
{
  g_autoptr (MaltWorker) front = NULL;
  HostCall *call;
  GError *error;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (malt_value_get_kind (arguments) == MALT_VALUE_TUPLE);
  front = malt_worker_dup_front (worker);
  if (front != NULL || malt_worker_is_wrapped (worker))
    {
      hand_to_front (front, host_call_id, name, arguments, keywords, reply, user_data,
                     destroy);
      return;
    }
  call = g_new0 (HostCall, 1);
  call->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  call->function = malt_exports_dup (malt_worker_get_exports (worker), name);
  call->id = host_call_id;
  call->arguments = malt_value_ref (arguments);
  call->reply = reply;
  call->reply_data = user_data;
  call->reply_destroy = destroy;

  error = check_call (call, name, keywords);
  if (error != NULL)
    {
      answer (call, NULL, error);
      host_call_free (call);
    }
  else if (call->function->flags & MALT_EXPORT_IN_CONTEXT)
    queue_in_context (call, worker);
  else
    push_work (&(Work){ .base = { run_work, refuse_work }, .call = call });
}
