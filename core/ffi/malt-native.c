/* SPDX-License-Identifier: MIT */
/* Native calls: Julia functions behind C function pointers, where Julia runs in this
 * process.
 *
 * The backend compiles the function (slot native_new) and gives its address, which stays
 * valid as long as the process; a MaltNative is the address, the signature by which libffi
 * calls it, and the exception that nobody has fetched yet. Such a pointer may be used in the
 * Julia thread only: there malt_native_call() calls it at once. Elsewhere the call
 * is carried into that thread (slot run_in_julia), and the caller waits, for a moment
 * awake, because a switch of threads costs more than most such calls.
 *
 * Exceptions never leave the function: it returns zero, after it has left the
 * exception with malt_native_throw(). Whoever calls through libmalt takes it from there at
 * once, in the same stretch of the Julia thread, so it is that call's own. */
#include "ffi/malt-signature.h"
#include "platform/malt-platform.h"
#include "worker/malt-worker-state.h"

#include <malt/malt-error-construction.h>
#include <malt/malt-host-call.h>
#include <malt/malt-native.h>
#include <string.h>

/**
 * MaltNative:
 *
 * A Julia function that was compiled for a C signature. Its calls cost nanoseconds in the
 * thread of Julia, see malt_worker_invoke_on_julia_thread().
 */
struct _MaltNative
{
  gatomicrefcount ref_count;
  MaltWeakWorker *worker; /* (owned) */
  MaltSignature *signature; /* (owned) */
  char *signature_text; /* (owned) */
  MaltJuliaThreadCheck is_julia_thread;
  MaltNativeCell *cell; /* (unowned) */
  gpointer pointer; /* constant once it was made */
};

/* Where the machine code of a function leaves its exception. The code lives as long as the
 * process, whoever has its address, and so do the cells. */
struct _MaltNativeCell
{
  GError *thrown; /* (owned) (nullable) (atomic): the exception that was not fetched */
  MaltNativeCell *next; /* (unowned) (nullable) */
};

static MaltNativeCell *cells; /* (atomic): all there are, so that they can be found */

static MaltNativeCell *
cell_new (void)
{
  MaltNativeCell *cell = g_new0 (MaltNativeCell, 1);

  do
    cell->next = g_atomic_pointer_get (&cells);
  while (!g_atomic_pointer_compare_and_exchange (&cells, cell->next, cell));
  return cell;
}

G_DEFINE_BOXED_TYPE (MaltNative, malt_native, malt_native_ref, malt_native_unref)

/**
 * malt_native_ref:
 * @native: a native function
 *
 * Takes a reference. From any thread.
 *
 * Returns: (transfer full): @native
 */
MaltNative *
malt_native_ref (MaltNative *native)
{
  g_return_val_if_fail (native != NULL, NULL);
  g_atomic_ref_count_inc (&native->ref_count);
  return native;
}

/**
 * malt_native_unref:
 * @native: (transfer full): a native function
 *
 * Drops a reference. The function pointer itself stays valid as long as the process.
 */
void
malt_native_unref (MaltNative *native)
{
  g_return_if_fail (native != NULL);
  if (!g_atomic_ref_count_dec (&native->ref_count))
    return;
  g_clear_pointer (&native->worker, malt_weak_worker_unref);
  g_clear_pointer (&native->signature, malt_signature_unref);
  g_free (native->signature_text);
  g_free (native);
}

/* Making one */

static gboolean
has_native (MaltWorker *worker, GError **error)
{
  MaltWorkerClass *klass = MALT_WORKER_GET_CLASS (worker);

  if (malt_platform_is_forked (error))
    return FALSE;
  if ((malt_worker_get_capabilities (worker) & MALT_CAPABILITY_NATIVE) &&
      klass->native_new != NULL && klass->run_in_julia != NULL &&
      malt_worker_get_julia_thread_check (worker) != NULL)
    return TRUE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                       "this worker has no native calls: its Julia is another process");
  return FALSE;
}

static gboolean
is_native_type (MaltCType type, gboolean is_result)
{
  return type.form == MALT_C_SCALAR || (is_result && type.form == MALT_C_VOID) ||
         (!is_result && type.form == MALT_C_POINTER);
}

/* Numbers and pointers are all that Julia and C lay out alike. */
static gboolean
check_types (MaltSignature *signature, GError **error)
{
  gboolean is_right = is_native_type (signature->result, TRUE);

  for (guint i = 0; i < signature->n_arguments && is_right; i++)
    is_right = is_native_type (signature->arguments[i], FALSE);
  if (!is_right)
    g_set_error_literal (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                         "expected numbers, bool and pointers in the signature of a "
                         "native function, got string or value");
  return is_right;
}

static MaltNative *
native_new (MaltWorker *worker, MaltSignature *signature)
{
  MaltNative *native = g_new0 (MaltNative, 1);

  g_atomic_ref_count_init (&native->ref_count);
  native->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  native->signature = malt_signature_ref (signature);
  native->signature_text = malt_signature_to_string (signature);
  native->is_julia_thread = malt_worker_get_julia_thread_check (worker);
  native->cell = cell_new ();
  return native;
}

/**
 * malt_native_new:
 * @worker: a worker with %MALT_CAPABILITY_NATIVE
 * @function: Julia source that gives a function, such as "hypot" or "(x, y) -> x * y";
 *   evaluated once, in the worker's module
 * @signature: the C signature, such as "f64(f64,f64)" or "i64(f64*,i64)": bool, i8 to i64,
 *   u8 to u64, f32, f64; pointers to them as arguments, which Julia sees as `Ptr`; void as
 *   a result
 * @cancellable: (nullable): gives up waiting
 * @error: return location for an error
 *
 * Compiles a Julia function for a C signature. The result is converted to the type that the
 * signature says, and the C `bool` of GLib is a `Bool` of Julia's. Compiling takes some
 * milliseconds, and its code is never freed: keep the function. The machine code, and so
 * the pointer, follows redefinitions of what the function calls.
 *
 * Errors: %MALT_ERROR_NOT_SUPPORTED; %MALT_ERROR_INVALID_ARGUMENT: the signature;
 * %MALT_ERROR_REMOTE_EXCEPTION: the source threw, or gave no function;
 * %MALT_ERROR_WORKER_TERMINATED; %MALT_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the function, or %NULL with an error
 */
MaltNative *
malt_native_new (MaltWorker *worker, const char *function, const char *signature,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltSignature) parsed = NULL;
  g_autoptr (MaltNative) native = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) address = NULL;
  gboolean is_pending;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (function != NULL && signature != NULL, NULL);
  if (!has_native (worker, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  parsed = malt_signature_parse (signature, 0, error);
  if (parsed == NULL || !check_types (parsed, error))
    return NULL;
  native = native_new (worker, parsed);
  future = malt_worker_begin_request (worker, &is_pending);
  if (is_pending)
    MALT_WORKER_GET_CLASS (worker)->native_new (worker, native->cell, function,
                                                native->signature_text, future);
  address = malt_future_fetch_or_cancel (future, cancellable, error);
  if (address == NULL)
    return NULL;
  native->pointer = (gpointer) (guintptr) malt_value_get_uint64 (address);
  return g_steal_pointer (&native);
}

/**
 * malt_native_get_signature:
 * @native: a native function
 *
 * Gives the signature.
 *
 * Returns: the signature, without spaces
 */
const char *
malt_native_get_signature (MaltNative *native)
{
  g_return_val_if_fail (native != NULL, NULL);
  return native->signature_text;
}

/**
 * malt_native_get_pointer: (skip)
 * @native: a native function
 *
 * Gives the plain C function pointer, to be cast to what the signature says. It may be
 * called in the thread of Julia only, see malt_worker_invoke_on_julia_thread(). After an
 * exception it returns zero; malt_native_take_error() tells.
 *
 * Returns: the function, valid as long as the process
 */
GCallback
malt_native_get_pointer (MaltNative *native)
{
  GCallback callback;

  g_return_val_if_fail (native != NULL, NULL);
  *(gpointer *) &callback = native->pointer;
  return callback;
}

/* Exceptions */

/**
 * malt_native_throw: (skip)
 * @cell: what the slot native_new was given
 * @error: (transfer full): the exception that ended a call
 *
 * Leaves an exception for malt_native_take_error(); one that is there already is
 * forgotten. For backends, in the thread of Julia.
 */
void
malt_native_throw (MaltNativeCell *cell, GError *error)
{
  GError *before;

  g_return_if_fail (cell != NULL && error != NULL);
  before = g_atomic_pointer_exchange (&cell->thrown, error);
  g_clear_error (&before);
}

/**
 * malt_native_take_error:
 * @native: a native function
 * @error: return location for the exception
 *
 * Fetches the exception that ended the last call of the plain pointer, if one did, and
 * forgets it.
 *
 * Returns: %TRUE if there was one
 */
gboolean
malt_native_take_error (MaltNative *native, GError **error)
{
  GError *thrown;

  g_return_val_if_fail (native != NULL, FALSE);
  if (g_atomic_pointer_get (&native->cell->thrown) == NULL)
    return FALSE;
  thrown = g_atomic_pointer_exchange (&native->cell->thrown, NULL);
  if (thrown == NULL)
    return FALSE;
  g_propagate_error (error, thrown);
  return TRUE;
}

/* Calls */

/* The result of ffi_call() is widened; the caller's memory has the size of its type. */
static void
store_result (const MaltSignature *signature, const MaltCSlot *slot, gpointer out_result)
{
  if (signature->result.form != MALT_C_VOID && out_result != NULL)
    memcpy (out_result, slot, signature->cif.rtype->size); /* little-endian */
}

/* In the thread of Julia. */
static gboolean
call_here (MaltNative *native, gpointer out_result, gpointer *arguments, GError **error)
{
  MaltCSlot slot;
  GCallback callback = malt_native_get_pointer (native);

  ffi_call (&native->signature->cif, callback, &slot, arguments);
  store_result (native->signature, &slot, out_result);
  return !malt_native_take_error (native, error);
}

typedef struct
{
  MaltJuliaThreadFunc func;
  gpointer user_data;
  GMutex lock; /* guards the wake-up */
  GCond done;
  gint is_done; /* atomic */
} Errand;

static void
run_errand (gpointer data)
{
  Errand *errand = data;

  errand->func (errand->user_data);
  g_mutex_lock (&errand->lock);
  g_atomic_int_set (&errand->is_done, TRUE);
  g_cond_signal (&errand->done);
  g_mutex_unlock (&errand->lock);
}

/* Waits until the thread of Julia has run the function. */
static void
run_elsewhere (MaltWorker *worker, MaltJuliaThreadFunc func, gpointer user_data)
{
  MaltWorkerClass *klass = MALT_WORKER_GET_CLASS (worker);
  Errand errand = { .func = func, .user_data = user_data };

  g_mutex_init (&errand.lock);
  g_cond_init (&errand.done);
  klass->run_in_julia (worker, run_errand, &errand);
  klass->spin (worker, &errand.is_done);
  g_mutex_lock (&errand.lock);
  while (!g_atomic_int_get (&errand.is_done))
    g_cond_wait (&errand.done, &errand.lock);
  g_mutex_unlock (&errand.lock);
  g_mutex_clear (&errand.lock);
  g_cond_clear (&errand.done);
}

typedef struct
{
  MaltNative *native;
  gpointer out_result;
  gpointer *arguments;
  GError *error;
} Call;

static void
run_call (gpointer data)
{
  Call *call = data;

  call_here (call->native, call->out_result, call->arguments, &call->error);
}

/**
 * malt_native_call: (skip)
 * @native: a native function
 * @out_result: (nullable): where the result goes: memory of the type that the signature
 *   says, such as a double
 * @arguments: (nullable): the addresses of the arguments, in order; %NULL if there are none
 * @error: return location for an error
 *
 * Calls a native function. In the thread of Julia this takes nanoseconds. In any other
 * thread the call is carried there and waited for, at the cost of two switches of threads.
 *
 * Errors: %MALT_ERROR_REMOTE_EXCEPTION: the function threw, and the result is zero;
 * %MALT_ERROR_WORKER_TERMINATED: the worker was stopped, and nothing was called.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_native_call (MaltNative *native, gpointer out_result, gpointer *arguments,
                  GError **error)
{
  g_autoptr (MaltWorker) worker = NULL;
  Call call = { native, out_result, arguments, NULL };

  g_return_val_if_fail (native != NULL, FALSE);
  g_return_val_if_fail (arguments != NULL || native->signature->n_arguments == 0, FALSE);
  if (malt_platform_is_forked (error))
    return FALSE;
  if (native->is_julia_thread ())
    return call_here (native, out_result, arguments, error);
  worker = malt_weak_worker_dup (native->worker);
  if (worker == NULL || !malt_worker_is_running (worker))
    {
      g_propagate_error (error, malt_error_new_terminated (NULL, NULL, NULL));
      return FALSE;
    }
  run_elsewhere (worker, run_call, &call);
  if (call.error == NULL)
    return TRUE;
  g_propagate_error (error, call.error);
  return FALSE;
}

/**
 * malt_worker_invoke_on_julia_thread:
 * @worker: a worker with %MALT_CAPABILITY_NATIVE
 * @func: (scope call): the function to run
 * @user_data: passed to @func
 * @error: return location for an error
 *
 * Runs a function in the thread of Julia and waits for it. Inside it native functions are
 * called at the cost of a C function call, also by their plain pointers, and
 * malt_native_call() switches no thread. It must not block, and must not wait for a call
 * of a worker: Julia waits meanwhile. In the thread of Julia itself the function is called
 * at once.
 *
 * Errors: %MALT_ERROR_NOT_SUPPORTED; %MALT_ERROR_WORKER_TERMINATED: @func was not called.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_invoke_on_julia_thread (MaltWorker *worker, MaltJuliaThreadFunc func,
                                    gpointer user_data, GError **error)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  if (!has_native (worker, error))
    return FALSE;
  if (!malt_worker_is_running (worker))
    {
      g_propagate_error (error, malt_error_new_terminated (NULL, NULL, NULL));
      return FALSE;
    }
  if (malt_worker_get_julia_thread_check (worker) ())
    func (user_data);
  else
    run_elsewhere (worker, func, user_data);
  return TRUE;
}
