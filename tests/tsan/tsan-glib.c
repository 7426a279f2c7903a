/* SPDX-License-Identifier: MIT */
/*
 * What ThreadSanitizer must know of GLib, which is not built with it: these functions stand
 * before GLib's own for all that is not GLib.
 *
 * Locks and conditions are those of pthreads, which the sanitizer knows; GLib's own are made of
 * futexes. What one thread hands to another through GLib (sources, tasks, queues, pools, last
 * references) is announced: what was done before it was given happens before what is done
 * after it was taken. GLib itself keeps its own locks for what is its own.
 *
 * A child that borrows the memory of the host until it has become another program is not a fork:
 * the sanitizer, which takes it for one, would stop to look at the thread that made it.
 *
 * All sources share one edge, so a race between two callbacks that have nothing but a
 * source attached between them is not seen. What is guarded by locks, or by nothing, is.
 */
#include <dlfcn.h>
#include <gio/gio.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define SHIM __attribute__ ((visibility ("default")))
#define REAL(name) ((__typeof__ (&name)) find (&real_##name, #name))
#define REAL_SLOT(name) static gpointer real_##name /* atomic */

static gpointer
find (gpointer *slot, const char *name)
{
  gpointer found = __atomic_load_n (slot, __ATOMIC_ACQUIRE);

  if (found == NULL)
    {
      found = dlsym (RTLD_NEXT, name);
      __atomic_store_n (slot, found, __ATOMIC_RELEASE);
    }
  return found;
}

int __clone (int (*function) (void *), void *stack, int flags, void *data, ...);

SHIM int
clone (int (*function) (void *), void *stack, int flags, void *data, ...)
{
  va_list arguments;
  int *pidfd;

  va_start (arguments, data);
  pidfd = flags & CLONE_PIDFD ? va_arg (arguments, int *) : NULL;
  va_end (arguments);
  return __clone (function, stack, flags, data, pidfd);
}

/* Locks: made when they are first used, as those of GLib are. */

static pthread_mutex_t *
get_mutex (GMutex *mutex)
{
  gpointer found = __atomic_load_n (&mutex->p, __ATOMIC_ACQUIRE);
  pthread_mutex_t *made;

  if (found != NULL)
    return found;
  made = malloc (sizeof *made);
  pthread_mutex_init (made, NULL);
  if (__atomic_compare_exchange_n (&mutex->p, &found, (gpointer) made, FALSE,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  pthread_mutex_destroy (made);
  free (made);
  return found;
}

SHIM void
g_mutex_init (GMutex *mutex)
{
  mutex->p = NULL;
}

SHIM void
g_mutex_clear (GMutex *mutex)
{
  pthread_mutex_t *made = mutex->p;

  if (made == NULL)
    return;
  pthread_mutex_destroy (made);
  free (made);
  mutex->p = NULL;
}

SHIM void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (get_mutex (mutex));
}

SHIM void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (get_mutex (mutex));
}

SHIM gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (get_mutex (mutex)) == 0;
}

/* GObject has these, and calls them from its own functions as if we had. */

static pthread_mutex_t *
get_rec_mutex (GRecMutex *mutex)
{
  gpointer found = __atomic_load_n (&mutex->p, __ATOMIC_ACQUIRE);
  pthread_mutexattr_t attributes;
  pthread_mutex_t *made;

  if (found != NULL)
    return found;
  made = malloc (sizeof *made);
  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_settype (&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init (made, &attributes);
  if (__atomic_compare_exchange_n (&mutex->p, &found, (gpointer) made, FALSE,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  pthread_mutex_destroy (made);
  free (made);
  return found;
}

SHIM void
g_rec_mutex_init (GRecMutex *mutex)
{
  mutex->p = NULL;
}

SHIM void
g_rec_mutex_clear (GRecMutex *mutex)
{
  pthread_mutex_t *made = mutex->p;

  if (made == NULL)
    return;
  pthread_mutex_destroy (made);
  free (made);
  mutex->p = NULL;
}

SHIM void
g_rec_mutex_lock (GRecMutex *mutex)
{
  pthread_mutex_lock (get_rec_mutex (mutex));
}

SHIM void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  pthread_mutex_unlock (get_rec_mutex (mutex));
}

SHIM gboolean
g_rec_mutex_trylock (GRecMutex *mutex)
{
  return pthread_mutex_trylock (get_rec_mutex (mutex)) == 0;
}

static pthread_cond_t *
get_cond (GCond *cond)
{
  gpointer found = __atomic_load_n (&cond->p, __ATOMIC_ACQUIRE);
  pthread_condattr_t attributes;
  pthread_cond_t *made;

  if (found != NULL)
    return found;
  made = malloc (sizeof *made);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (made, &attributes);
  if (__atomic_compare_exchange_n (&cond->p, &found, (gpointer) made, FALSE,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  pthread_cond_destroy (made);
  free (made);
  return found;
}

SHIM void
g_cond_init (GCond *cond)
{
  cond->p = NULL;
}

SHIM void
g_cond_clear (GCond *cond)
{
  pthread_cond_t *made = cond->p;

  if (made == NULL)
    return;
  pthread_cond_destroy (made);
  free (made);
  cond->p = NULL;
}

SHIM void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (get_cond (cond), get_mutex (mutex));
}

SHIM gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_us)
{
  struct timespec end = { end_us / G_USEC_PER_SEC, (end_us % G_USEC_PER_SEC) * 1000 };

  return pthread_cond_timedwait (get_cond (cond), get_mutex (mutex), &end) == 0;
}

SHIM void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (get_cond (cond));
}

SHIM void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (get_cond (cond));
}

REAL_SLOT (g_once_init_enter);
REAL_SLOT (g_once_init_leave);

#undef g_once_init_enter
SHIM gboolean
g_once_init_enter (volatile void *location)
{
  gboolean is_first = REAL (g_once_init_enter) (location);

  if (!is_first)
    __tsan_acquire ((gpointer) location);
  return is_first;
}

#undef g_once_init_leave
SHIM void
g_once_init_leave (volatile void *location, gsize result)
{
  __tsan_release ((gpointer) location);
  REAL (g_once_init_leave) (location, result);
}

/* Sources */

REAL_SLOT (g_source_set_callback);
REAL_SLOT (g_source_attach);
REAL_SLOT (g_source_set_ready_time);
REAL_SLOT (g_source_destroy);
REAL_SLOT (g_source_unref);

static char sources; /* the edge */

typedef struct
{
  GSourceFunc callback;
  gpointer data;
  GDestroyNotify destroy;
} Callback;

static gboolean
run_callback (gpointer data)
{
  Callback *self = data;

  __tsan_acquire (&sources);
  return self->callback (self->data);
}

static void
free_callback (gpointer data)
{
  Callback *self = data;

  __tsan_acquire (&sources);
  if (self->destroy != NULL)
    self->destroy (self->data);
  free (self);
}

/* A source of a descriptor has a callback of another type. */
static gboolean
run_fd_callback (gint fd, GIOCondition condition, gpointer data)
{
  Callback *self = data;

  __tsan_acquire (&sources);
  return ((gboolean (*) (gint, GIOCondition, gpointer)) (
              void (*) (void)) self->callback) (fd, condition, self->data);
}

SHIM void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data,
                       GDestroyNotify destroy)
{
  Callback *self;
  gboolean is_fd = g_strcmp0 (g_source_get_name (source), "malt: console") == 0;

  __tsan_release (&sources);
  if (func == NULL)
    {
      REAL (g_source_set_callback) (source, func, data, destroy);
      return;
    }
  self = malloc (sizeof *self);
  *self = (Callback){ func, data, destroy };
  REAL (g_source_set_callback)
  (source, is_fd ? (GSourceFunc) (void (*) (void)) run_fd_callback : run_callback, self,
   free_callback);
}

SHIM guint
g_source_attach (GSource *source, GMainContext *context)
{
  __tsan_release (&sources);
  return REAL (g_source_attach) (source, context);
}

SHIM void
g_source_set_ready_time (GSource *source, gint64 ready_time)
{
  __tsan_release (&sources);
  REAL (g_source_set_ready_time) (source, ready_time);
}

SHIM void
g_source_destroy (GSource *source)
{
  __tsan_release (&sources);
  REAL (g_source_destroy) (source);
}

SHIM void
g_source_unref (GSource *source)
{
  __tsan_release (&sources);
  REAL (g_source_unref) (source);
}

/* Queues and pools */

REAL_SLOT (g_async_queue_push);
REAL_SLOT (g_async_queue_pop);
REAL_SLOT (g_thread_pool_push);
REAL_SLOT (g_thread_pool_new);

SHIM void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (queue);
  REAL (g_async_queue_push) (queue, data);
}

SHIM gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_pop) (queue);

  __tsan_acquire (queue);
  return data;
}

static char pools; /* the edge */

static void
run_pooled (gpointer data, gpointer user_data)
{
  __tsan_acquire (&pools);
  ((GFunc) (void (*) (void)) user_data) (data, NULL);
}

/* None of the library's pools has data of its own. */
SHIM GThreadPool *
g_thread_pool_new (GFunc func, G_GNUC_UNUSED gpointer user_data, gint max_threads,
                   gboolean exclusive, GError **error)
{
  return REAL (g_thread_pool_new) (run_pooled, (gpointer) (void (*) (void)) func,
                                   max_threads, exclusive, error);
}

SHIM gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  __tsan_release (&pools);
  return REAL (g_thread_pool_push) (pool, data, error);
}

/* References: what was done with one happens before the end. Only who holds the last one calls
 * GLib's function, which ends the object: whoever let go before has announced it by then. */

REAL_SLOT (g_object_unref);
REAL_SLOT (g_rw_lock_writer_lock);
REAL_SLOT (g_bytes_new_with_free_func);
REAL_SLOT (g_bytes_unref);

#undef g_atomic_ref_count_dec
SHIM gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  gboolean is_last;

  __tsan_release (count);
  is_last = __atomic_sub_fetch (count, 1, __ATOMIC_ACQ_REL) == 0;
  if (is_last)
    __tsan_acquire (count);
  return is_last;
}

static __thread gpointer ending; /* its last reference is let go */

/* GLib takes this before it ends an object that is held weakly: nobody can take a reference
 * any more, and who took one has let go. */
SHIM void
g_rw_lock_writer_lock (GRWLock *lock)
{
  REAL (g_rw_lock_writer_lock) (lock);
  if (ending != NULL)
    __tsan_acquire (ending);
}

/* Nothing here has toggle references, which are told when one is left. */
#undef g_object_unref
SHIM void
g_object_unref (gpointer object)
{
  volatile guint *count = &((GObject *) object)->ref_count;
  guint found = __atomic_load_n (count, __ATOMIC_ACQUIRE);

  __tsan_release (object);
  while (found > 1)
    if (__atomic_compare_exchange_n (count, &found, found - 1, FALSE, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
      return;
  __tsan_acquire (object);
  ending = object;
  REAL (g_object_unref) (object);
  ending = NULL;
}

/* The count of bytes cannot be reached: what frees them is told instead. */
typedef struct
{
  GBytes *bytes;
  GDestroyNotify free_func;
  gpointer data;
} Content;

static void
free_content (gpointer data)
{
  Content *self = data;

  __tsan_acquire (self->bytes);
  self->free_func (self->data);
  free (self);
}

SHIM GBytes *
g_bytes_new_with_free_func (gconstpointer data, gsize size, GDestroyNotify free_func,
                            gpointer user_data)
{
  Content *self;

  if (free_func == NULL)
    return REAL (g_bytes_new_with_free_func) (data, size, NULL, NULL);
  self = malloc (sizeof *self);
  *self = (Content){ NULL, free_func, user_data };
  return self->bytes = REAL (g_bytes_new_with_free_func) (data, size, free_content, self);
}

SHIM void
g_bytes_unref (GBytes *bytes)
{
  if (bytes != NULL)
    __tsan_release (bytes);
  REAL (g_bytes_unref) (bytes);
}

/* Tasks */

REAL_SLOT (g_task_return_boolean);
REAL_SLOT (g_task_return_int);
REAL_SLOT (g_task_return_pointer);
REAL_SLOT (g_task_return_error);
REAL_SLOT (g_task_propagate_boolean);
REAL_SLOT (g_task_propagate_int);
REAL_SLOT (g_task_propagate_pointer);

SHIM void
g_task_return_boolean (GTask *task, gboolean result)
{
  __tsan_release (task);
  REAL (g_task_return_boolean) (task, result);
}

SHIM void
g_task_return_int (GTask *task, gssize result)
{
  __tsan_release (task);
  REAL (g_task_return_int) (task, result);
}

SHIM void
g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify destroy)
{
  __tsan_release (task);
  REAL (g_task_return_pointer) (task, result, destroy);
}

SHIM void
g_task_return_error (GTask *task, GError *error)
{
  __tsan_release (task);
  REAL (g_task_return_error) (task, error);
}

SHIM gboolean
g_task_propagate_boolean (GTask *task, GError **error)
{
  __tsan_acquire (task);
  return REAL (g_task_propagate_boolean) (task, error);
}

SHIM gssize
g_task_propagate_int (GTask *task, GError **error)
{
  __tsan_acquire (task);
  return REAL (g_task_propagate_int) (task, error);
}

SHIM gpointer
g_task_propagate_pointer (GTask *task, GError **error)
{
  __tsan_acquire (task);
  return REAL (g_task_propagate_pointer) (task, error);
}
