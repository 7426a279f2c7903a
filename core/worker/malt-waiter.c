/* SPDX-License-Identifier: MIT */
/* Waiting for one of several things to happen, and telling the one who waits.
 *
 * Every asynchronous operation of core ends in one of several ways: the answer comes,
 * the worker ends, the cancellable fires. These come from different threads. The one
 * that claims the waiter first decides the result; what comes later finds it claimed
 * and drops what it brings (or, as a channel does, gives it to the next in line). So
 * the claim, one atomic exchange, is all the locking there is.
 *
 * g_task_return_*() may run the callback at once when it is called in the task's own
 * context. That would be inside whatever call of the host's made the operation end,
 * which rule B2 forbids; so the return is always put off to an idle source of that
 * context. Its priority is the default, like that of the sources that emit signals, so
 * that callbacks and signals keep the order in which they were caused.
 *
 * The cancellable is watched by a signal handler that owns a reference to the waiter.
 * g_cancellable_disconnect() would wait for a handler that runs, which may be the one
 * that disconnects; and GLib leaks a GCancellableSource that is destroyed while
 * g_cancellable_cancel() runs.
 *
 * A thread that blocks waits for a condition of its own. A main context would do, too, but
 * needs a descriptor, without which GLib ends the process; and a stop must be possible when
 * there is none. */
#include "worker/malt-waiter.h"

#include "platform/malt-platform.h"

#include <malt/malt-error.h>

typedef enum
{
  ANSWER_POINTER,
  ANSWER_INT,
  ANSWER_ERROR,
} AnswerKind;

typedef struct
{
  GTask *task; /* (owned) (nullable): NULL: it goes to a thread that waits */
  AnswerKind kind;
  gpointer pointer; /* (owned) */
  GDestroyNotify destroy;
  gssize number;
  GError *error; /* (owned) */
} Answer;

struct _MaltWaiter
{
  gatomicrefcount ref_count;
  gint is_claimed; /* atomic */
  GTask *task; /* (owned) (nullable): NULL: a thread waits */
  GCancellable *cancellable; /* (owned) (nullable) */
  GMutex lock; /* guards cancel_handler and answer */
  GCond is_answered; /* for a thread that waits: answer is there */
  Answer *answer; /* (owned) (nullable): for such a thread */
  gulong cancel_handler; /* 0: none */
  /* These are set before the handler is connected. */
  MaltWaiterCancelFunc on_cancel; /* (nullable) */
  gpointer cancel_data;
  GDestroyNotify cancel_destroy;
};

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  if (answer->pointer != NULL && answer->destroy != NULL)
    answer->destroy (answer->pointer);
  g_clear_error (&answer->error);
  g_clear_object (&answer->task);
  g_free (answer);
}

MaltWaiter *
malt_waiter_new_blocking (GCancellable *cancellable)
{
  MaltWaiter *waiter = g_new0 (MaltWaiter, 1);

  g_atomic_ref_count_init (&waiter->ref_count);
  g_mutex_init (&waiter->lock);
  g_cond_init (&waiter->is_answered);
  g_set_object (&waiter->cancellable, cancellable);
  return waiter;
}

MaltWaiter *
malt_waiter_new (gpointer source_object, GCancellable *cancellable,
                 GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag)
{
  MaltWaiter *waiter = malt_waiter_new_blocking (cancellable);

  waiter->task = g_task_new (source_object, cancellable, callback, user_data);
  g_task_set_source_tag (waiter->task, source_tag);
  g_task_set_check_cancellable (waiter->task, FALSE);
  return waiter;
}

MaltWaiter *
malt_waiter_ref (MaltWaiter *waiter)
{
  g_atomic_ref_count_inc (&waiter->ref_count);
  return waiter;
}

void
malt_waiter_unref (MaltWaiter *waiter)
{
  if (!g_atomic_ref_count_dec (&waiter->ref_count))
    return;
  if (waiter->cancel_destroy != NULL)
    waiter->cancel_destroy (waiter->cancel_data);
  g_clear_pointer (&waiter->answer, answer_free);
  g_clear_object (&waiter->task);
  g_clear_object (&waiter->cancellable);
  g_cond_clear (&waiter->is_answered);
  g_mutex_clear (&waiter->lock);
  g_free (waiter);
}

GTask *
malt_waiter_get_task (MaltWaiter *waiter)
{
  return waiter->task;
}

gboolean
malt_waiter_claim (MaltWaiter *waiter)
{
  return g_atomic_int_compare_and_exchange (&waiter->is_claimed, FALSE, TRUE);
}

/* Cancellation */

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  MaltWaiter *waiter = data;

  if (malt_platform_is_forked (NULL) || !malt_waiter_claim (waiter))
    return;
  if (waiter->on_cancel != NULL)
    waiter->on_cancel (waiter, waiter->cancel_data);
  malt_waiter_return_error (waiter, g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                                         "the operation was cancelled"));
}

static void
on_closure_gone (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  malt_waiter_unref (data);
}

void
malt_waiter_watch_cancellable (MaltWaiter *waiter, MaltWaiterCancelFunc on_cancel,
                               gpointer data, GDestroyNotify destroy)
{
  GCancellable *cancellable = waiter->cancellable;

  waiter->on_cancel = on_cancel;
  waiter->cancel_data = data;
  waiter->cancel_destroy = destroy;
  if (cancellable == NULL)
    return;
  g_mutex_lock (&waiter->lock);
  if (!g_atomic_int_get (&waiter->is_claimed))
    waiter->cancel_handler =
        g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled),
                               malt_waiter_ref (waiter), on_closure_gone, 0);
  g_mutex_unlock (&waiter->lock);
  if (g_cancellable_is_cancelled (cancellable))
    on_cancelled (cancellable, waiter);
}

static void
stop_watching (MaltWaiter *waiter)
{
  gulong handler;

  g_mutex_lock (&waiter->lock);
  handler = waiter->cancel_handler;
  waiter->cancel_handler = 0;
  g_mutex_unlock (&waiter->lock);
  if (handler != 0)
    g_signal_handler_disconnect (waiter->cancellable, handler);
}

/* Answers */

static gboolean
on_answer (gpointer data)
{
  Answer *answer = data;

  if (answer->kind == ANSWER_POINTER)
    g_task_return_pointer (answer->task, g_steal_pointer (&answer->pointer),
                           answer->destroy);
  else if (answer->kind == ANSWER_INT)
    g_task_return_int (answer->task, answer->number);
  else
    g_task_return_error (answer->task, g_steal_pointer (&answer->error));
  return G_SOURCE_REMOVE;
}

static void
give_to_task (MaltWaiter *waiter, Answer *answer)
{
  GSource *source = g_idle_source_new ();

  answer->task = g_object_ref (waiter->task);
  g_source_set_static_name (source, "malt: answer");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_answer, answer, answer_free);
  g_source_attach (source, g_task_get_context (waiter->task));
  g_source_unref (source);
}

static void
give_to_thread (MaltWaiter *waiter, Answer *answer)
{
  g_mutex_lock (&waiter->lock);
  waiter->answer = answer;
  g_cond_signal (&waiter->is_answered);
  g_mutex_unlock (&waiter->lock);
}

static void
give_answer (MaltWaiter *waiter, const Answer *template)
{
  Answer *answer = g_memdup2 (template, sizeof *template);

  stop_watching (waiter);
  if (waiter->task != NULL)
    give_to_task (waiter, answer);
  else
    give_to_thread (waiter, answer);
}

void
malt_waiter_return_pointer (MaltWaiter *waiter, gpointer value, GDestroyNotify destroy)
{
  give_answer (waiter, &(Answer){
                           .kind = ANSWER_POINTER,
                           .pointer = value,
                           .destroy = destroy,
                       });
}

void
malt_waiter_return_int (MaltWaiter *waiter, gssize value)
{
  give_answer (waiter, &(Answer){ .kind = ANSWER_INT, .number = value });
}

void
malt_waiter_return_error (MaltWaiter *waiter, GError *error)
{
  give_answer (waiter, &(Answer){ .kind = ANSWER_ERROR, .error = error });
}

/* Blocking */

/* NULL, with an error, if the answer is one. (transfer full) */
static Answer *
await_answer (MaltWaiter *waiter, GError **error)
{
  Answer *answer;

  g_mutex_lock (&waiter->lock);
  while (waiter->answer == NULL)
    g_cond_wait (&waiter->is_answered, &waiter->lock);
  answer = g_steal_pointer (&waiter->answer);
  g_mutex_unlock (&waiter->lock);
  if (answer->error == NULL)
    return answer;
  g_propagate_error (error, g_steal_pointer (&answer->error));
  answer_free (answer);
  return NULL;
}

gpointer
malt_waiter_await_pointer (MaltWaiter *waiter, GError **error)
{
  Answer *answer = await_answer (waiter, error);
  gpointer pointer;

  if (answer == NULL)
    return NULL;
  pointer = g_steal_pointer (&answer->pointer);
  answer_free (answer);
  return pointer;
}

gssize
malt_waiter_await_int (MaltWaiter *waiter, GError **error)
{
  Answer *answer = await_answer (waiter, error);
  gssize number;

  if (answer == NULL)
    return -1;
  number = answer->number;
  answer_free (answer);
  return number;
}
