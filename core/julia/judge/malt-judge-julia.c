/* SPDX-License-Identifier: MIT */
/*
 * What Julia has that the judge asks for. Places in its thread state differ by version.
 * They are found by calling the functions that change them; if that does not give one
 * place for the counter of deferrals, nothing is forced.
 */
#include "malt-judge-parts.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

#define STATE_BYTES \
  32768 /* of Julia's thread state, in which the counter is looked for */
#define N_PROOFS 5
#define GC_WAITING 1 /* of gc_state: collects garbage, or waits for who does */
#define GC_SAFE 2

MaltJudgeJulia malt_judge_julia;

static void *
find_symbol (const char *name)
{
  return dlsym (RTLD_DEFAULT, name);
}

/* What can be read there: the size of the state differs. */
static int
copy_state (char *bytes, void *state)
{
  struct iovec copy = { bytes, STATE_BYTES };
  struct iovec source = { state, STATE_BYTES };
  ssize_t n_bytes;

  do
    {
      n_bytes = process_vm_readv (getpid (), &copy, 1, &source, 1, 0);
      source.iov_len -= n_bytes < 0 ? 1024 : 0;
    }
  while (n_bytes < 0 && source.iov_len > 1024);
  return n_bytes > 0 ? (int) n_bytes : 0;
}

static char before[STATE_BYTES] __attribute__ ((aligned (8)));
static char after[STATE_BYTES] __attribute__ ((aligned (8)));

/* The word of Julia's thread state that counts deferrals: the one that goes up as often
 * as it is told to. */
static void
find_deferrals (char *state)
{
  int n_found = 0;
  int n_bytes = copy_state (before, state);

  for (int i = 0; i < N_PROOFS; i++)
    malt_judge_julia.begin_deferral ();
  if (copy_state (after, state) < n_bytes)
    n_bytes = 0;
  for (int i = 0; i < N_PROOFS; i++)
    malt_judge_julia.end_deferral ();
  for (int i = 0; i + 4 <= n_bytes; i += 4)
    if (*(int32_t *) (after + i) == *(int32_t *) (before + i) + N_PROOFS)
      {
        malt_judge_julia.n_deferrals = (volatile sig_atomic_t *) (state + i);
        n_found++;
      }
  if (n_found != 1)
    malt_judge_julia.n_deferrals = NULL;
}

/* Before Julia had a function for that, the byte that says so was the one before that
 * which switches the collection of garbage off. */
static void
find_in_finalizer (char *state)
{
  int (*enable_collection) (int is_enabled);
  int n_found = 0;
  int n_bytes = copy_state (before, state);

  *(void **) &malt_judge_julia.get_in_finalizer = find_symbol ("jl_gc_is_in_finalizer");
  *(void **) &enable_collection = find_symbol ("jl_gc_enable");
  if (malt_judge_julia.get_in_finalizer != NULL || enable_collection == NULL)
    return;
  enable_collection (0);
  if (copy_state (after, state) < n_bytes)
    n_bytes = 0;
  enable_collection (1);
  for (int i = 1; i < n_bytes; i++)
    if (after[i] == 1 && before[i] == 0 && before[i - 1] == 0)
      {
        malt_judge_julia.in_finalizer = (volatile int8_t *) (state + i - 1);
        n_found++;
      }
  if (n_found != 1)
    malt_judge_julia.in_finalizer = NULL;
}

static void
find_gc_state (char *state)
{
  int8_t (*enter_safe) (void);
  void (*leave_safe) (int8_t before);
  int n_found = 0;
  int n_bytes = copy_state (before, state);
  int8_t old_state;

  *(void **) &enter_safe = find_symbol ("jl_gc_safe_enter");
  *(void **) &leave_safe = find_symbol ("jl_gc_safe_leave");
  if (enter_safe == NULL || leave_safe == NULL)
    return;
  old_state = enter_safe ();
  if (copy_state (after, state) < n_bytes)
    n_bytes = 0;
  leave_safe (old_state);
  for (int i = 0; i < n_bytes; i++)
    if (after[i] == GC_SAFE && before[i] == 0)
      {
        malt_judge_julia.gc_state = (volatile int8_t *) (state + i);
        n_found++;
      }
  if (n_found != 1)
    malt_judge_julia.gc_state = NULL;
}

static void
find_state (void)
{
  char *(*get_state) (void);

  *(void **) &get_state = find_symbol ("jl_get_ptls_states");
  if (get_state == NULL)
    return;
  find_deferrals (get_state ());
  find_in_finalizer (get_state ());
  find_gc_state (get_state ());
}

int
malt_judge_julia_find (void)
{
  size_t (*count_worlds) (void);

  *(void **) &count_worlds = find_symbol ("jl_get_world_counter");
  *(void **) &malt_judge_julia.get_world = find_symbol ("jl_get_tls_world_age");
  if (count_worlds == NULL)
    malt_judge_julia.get_world = NULL;
  else
    malt_judge_julia.first_world = count_worlds ();
  *(void **) &malt_judge_julia.get_current_task = find_symbol ("jl_get_current_task");
  *(void **) &malt_judge_julia.throw_exception = find_symbol ("jl_throw");
  malt_judge_julia.interrupt_exception = find_symbol ("jl_interrupt_exception");
  *(void **) &malt_judge_julia.begin_deferral = find_symbol ("jl_sigatomic_begin");
  *(void **) &malt_judge_julia.end_deferral = find_symbol ("jl_sigatomic_end");
  malt_judge_julia.signal_pending = find_symbol ("jl_signal_pending");
  if (malt_judge_julia.get_current_task == NULL ||
      malt_judge_julia.throw_exception == NULL ||
      malt_judge_julia.interrupt_exception == NULL ||
      malt_judge_julia.begin_deferral == NULL || malt_judge_julia.end_deferral == NULL)
    return 0;
  find_state ();
  return 1;
}

int
malt_judge_julia_is_masked (void)
{
  return (malt_judge_julia.n_deferrals != NULL && *malt_judge_julia.n_deferrals != 0) ||
         (malt_judge_julia.get_in_finalizer != NULL
              ? malt_judge_julia.get_in_finalizer ()
              : malt_judge_julia.in_finalizer != NULL &&
                    *malt_judge_julia.in_finalizer != 0) ||
         (malt_judge_julia.get_world != NULL &&
          malt_judge_julia.get_world () < malt_judge_julia.first_world);
}

int
malt_judge_julia_is_collecting (void)
{
  return malt_judge_julia.gc_state != NULL && *malt_judge_julia.gc_state == GC_WAITING;
}
