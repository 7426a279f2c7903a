/* SPDX-License-Identifier: MIT */
/*
 * The judge: decides in the worker's Julia thread, at the very instruction at which it
 * was interrupted, whether an InterruptException may be thrown there. It is a small
 * library of its own, without GLib, that the worker loads from memory of its host.
 *
 * Why here. A host can look at a worker and then send it a signal, but between the two
 * the worker goes on: the signal may find another call, or the compiler. What runs in a
 * handler of the thread itself sees what it hits.
 *
 * How. The host sends one signal for a call (malt-judge-page.h). From then on a timer of
 * the thread's own processor time brings the same signal every few milliseconds in which
 * the thread has run, so nothing depends on how loaded the machine is, and a thread that
 * sleeps is left alone. It ends when the call has ended, when an exception was thrown, or
 * after MAX_CPU_NS. Each time:
 *
 *   - First, once for each interrupt, SIGINT for Julia itself, which throws at the next
 *     safepoint: the sound way. Only while the code of the call runs, in its own task:
 *     another task may end before it comes to a safepoint, and an exception at its end
 *     ends the process. Only while no other call has begun user code, since it hits
 *     whatever comes to a safepoint first; never two within RAISE_INTERVAL_NS, since
 *     several in a row make Julia throw wherever it is; only in code that is not masked,
 *     so that it does not hang over the compiler; only in code that Julia has compiled,
 *     or while garbage is collected. C code may take longer than the host waits, and what
 *     was given up must not hit later; and from libjulia the way may lead into type
 *     inference, before which there is no safepoint, and which swallows exceptions. The
 *     handler waits until Julia's own thread has taken the signal. So from then on the
 *     exception is pending, or has been thrown.
 *   - FORCE_AFTER_NS later, or at once where that was not possible, the exception is
 *     forced, if all of these hold: the task is that of the call; the call is in user
 *     code; signals are not deferred, by the runtime (which is masked but for user code),
 *     by the compiler, by any lock of Julia's, or by a finalizer, which swallows
 *     exceptions; the instruction is in memory that Julia has compiled code into at run
 *     time, in an image of a package, or where Julia's interpreter goes from statement to
 *     statement; the stack has room. So never elsewhere in libjulia, in the system image,
 *     in LLVM or in C code. The thread's registers are set as if the code had called
 *     `throw` there. What was pending is what is thrown: one interrupt, one exception.
 *
 * Where neither ends the call (a loop of the system image without a safepoint) and the
 * host gives it up, what is pending is deferred: it must not hit later.
 *
 * At an arbitrary instruction that is still unsound for code that expects no exception
 * there: rare, never safe. n_forced tells the runtime.
 */
#include "platform/malt-judge-page.h"

#include "malt-judge-parts.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND_NS INT64_C (1000000)
#define TICK_NS MILLISECOND_NS
#define FORCE_AFTER_NS (250 * MILLISECOND_NS)
#define RAISE_INTERVAL_NS (1000 * MILLISECOND_NS)
#define MAX_CPU_NS (60000 * MILLISECOND_NS)
#define STATE_BYTES \
  32768 /* of Julia's thread state, in which the counter is looked for */
#define N_PROOFS 5
#define GC_WAITING \
  1 /* of malt_judge_julia.gc_state: collects garbage, or waits for who does */
#define GC_SAFE 2
#define STACK_ROOM_BYTES 65536 /* for the throw: Julia walks the stack */
#define LISTENER_NS (2000 * MILLISECOND_NS) /* that Julia's own thread may take */

#define EXPORT __attribute__ ((visibility ("default")))

/* The page of the host takes this place. */
EXPORT union
{
  MaltJudgePage page;
  char bytes[MALT_JUDGE_PAGE_BYTES];
} malt_judge __attribute__ ((aligned (MALT_JUDGE_PAGE_BYTES)));

static MaltJudgePage *const page = &malt_judge.page;

static pid_t julia_thread;
static timer_t timer;
static int kick_signal;
static int is_julia_listening; /* SIGINT is for Julia's own thread */
static pid_t listener; /* in which Julia waits for signals; 0: not found */
static void (*julia_handler) (int); /* (nullable) of SIGINT; not in the host's process */

/* The interrupt that is under way: in the handler only. */
static struct
{
  uint64_t call; /* 0: none */
  int may_hit_others;
  int is_raised;
  uint32_t n_obeyed; /* requests, when it was begun */
  int64_t start_ns;
} wanted;
static int64_t last_raise_ns;

static int64_t
get_time_ns (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

static void
set_timer (int64_t interval_ns)
{
  struct itimerspec setting = { { 0, interval_ns }, { 0, interval_ns } };

  timer_settime (timer, 0, &setting, NULL);
}

static void
end_wanted (void)
{
  wanted.call = 0;
  set_timer (0);
}

/* Throwing */

static void
throw_interrupt (void)
{
  malt_judge_julia.begin_deferral ();
  malt_judge_julia.end_deferral ();
  malt_judge_julia.throw_exception (*malt_judge_julia.interrupt_exception);
  __builtin_unreachable ();
}

/* As if the interrupted code had called throw_interrupt() where it is. */
static void
force (ucontext_t *context)
{
#if defined(__x86_64__)
  greg_t *registers = context->uc_mcontext.gregs;
  uintptr_t stack = ((uintptr_t) registers[REG_RSP] - 128) & ~(uintptr_t) 15;

  stack -= sizeof (uintptr_t);
  *(uintptr_t *) stack = (uintptr_t) registers[REG_RIP];
  registers[REG_RSP] = (greg_t) stack;
  registers[REG_RIP] = (greg_t) (uintptr_t) throw_interrupt;
#else
  mcontext_t *registers = &context->uc_mcontext;

  registers->sp &= ~(uint64_t) 15;
  registers->regs[30] = registers->pc;
  registers->pc = (uint64_t) (uintptr_t) throw_interrupt;
#endif
}

/* The judgement */

static uint32_t
count_obeyed (void)
{
  return page->n_thrown + page->n_taken;
}

static uint64_t *
get_request (uint64_t call)
{
  return &page->requests[(uint32_t) call % MALT_JUDGE_N_CALLS];
}

static int
is_withdrawn (void)
{
  uint64_t request = __atomic_load_n (get_request (wanted.call), __ATOMIC_SEQ_CST);

  return MALT_JUDGE_CALL_OF (request) == wanted.call &&
         MALT_JUDGE_STATE_OF (request) != MALT_JUDGE_ASKED;
}

/* For the runtime, by its address (malt-judge-page.h). */
static int
take (uint64_t call)
{
  uint64_t request = MALT_JUDGE_REQUEST (call, MALT_JUDGE_ASKED);

  if (__atomic_compare_exchange_n (get_request (call), &request,
                                   MALT_JUDGE_REQUEST (call, MALT_JUDGE_TAKEN), 0,
                                   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return 1;
  return request == MALT_JUDGE_REQUEST (call, MALT_JUDGE_WITHDRAWN) ? 0 : -1;
}

/* How many calls are in user code, and how many of these the running task belongs to; the
 * one that is wanted, or NULL. */
static const MaltJudgeCall *
find_call (int *out_n_users, int *out_n_running)
{
  const MaltJudgeCall *found = NULL;
  uint64_t task = (uint64_t) (uintptr_t) malt_judge_julia.get_current_task ();

  *out_n_users = 0;
  *out_n_running = 0;
  for (int i = 0; i < MALT_JUDGE_N_CALLS; i++)
    {
      const volatile MaltJudgeCall *call = &page->calls[i];
      uint64_t word = call->call;

      if (MALT_JUDGE_STATE_OF (word) != MALT_JUDGE_IN_USER_CODE)
        continue;
      ++*out_n_users;
      *out_n_running += call->task == task;
      if (MALT_JUDGE_CALL_OF (word) == wanted.call)
        found = &page->calls[i];
    }
  return found;
}

/* Of a thread in which Julia waits for signals, and has nothing else to do. */
static int
is_listening (pid_t thread)
{
  char path[64];
  char text[32];
  ssize_t n_read;
  int fd;

  snprintf (path, sizeof path, "/proc/self/task/%d/syscall", (int) thread);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  n_read = read (fd, text, sizeof text - 1);
  close (fd);
  text[n_read > 0 ? n_read : 0] = '\0';
  return n_read > 0 && atoi (text) == SYS_rt_sigtimedwait;
}

/* Without the heap, too. In a host's own process there may be others that wait for
 * signals, so the host has said which it is. */
static pid_t
find_listener (void)
{
  char entries[2048];
  pid_t found = 0;
  long n_read;
  int fd;

  if (page->listener != 0)
    return (pid_t) page->listener;
  fd = open ("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (found == 0 && fd >= 0 &&
         (n_read = syscall (SYS_getdents64, fd, entries, sizeof entries)) > 0)
    for (long at = 0; at < n_read;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + at);
        pid_t thread = (pid_t) atoi (entry->d_name);

        if (thread > 0 && thread != julia_thread && is_listening (thread))
          found = thread;
        at += entry->d_reclen;
      }
  if (fd >= 0)
    close (fd);
  return found;
}

/* What pends for the process may be the host's, where that is the same; what pends for
 * another thread cannot be seen. */
static int
is_signal_pending (void)
{
  sigset_t pending;

  if (*malt_judge_julia.signal_pending != 0 || page->listener != 0)
    return *malt_judge_julia.signal_pending != 0 || !is_listening (listener);
  return sigpending (&pending) == 0 && sigismember (&pending, SIGINT) == 1;
}

/* Waits until Julia's own thread has taken the signal: then the exception is pending, or
 * Julia has dropped it. */
static int
wait_for_listener (void)
{
  struct timespec moment = { 0, MILLISECOND_NS / 20 };
  int64_t end_ns = get_time_ns (CLOCK_MONOTONIC) + LISTENER_NS;

  while (*malt_judge_julia.signal_pending == 0 && get_time_ns (CLOCK_MONOTONIC) < end_ns)
    {
      if (!is_signal_pending () && is_listening (listener))
        break;
      nanosleep (&moment, NULL);
    }
  return is_signal_pending ();
}

/* Julia drops a signal that does not reach its handler: it is called in Julia's own
 * thread, which asks by that whether the signal counts. So nothing that others send is
 * thrown anywhere, however often they do. */
static void
on_sigint (int signal_number)
{
  if (__atomic_load_n (&page->is_raising, __ATOMIC_SEQ_CST) ||
      __atomic_load_n (&page->is_exposed, __ATOMIC_SEQ_CST) || page->is_program)
    julia_handler (signal_number);
}

static void
stand_before_julia (void)
{
  struct sigaction action;

  sigaction (SIGINT, NULL, &action);
  if ((action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler == SIG_DFL ||
      action.sa_handler == SIG_IGN)
    return;
  julia_handler = action.sa_handler;
  action.sa_handler = on_sigint;
  page->has_gate = sigaction (SIGINT, &action, NULL) == 0;
}

static int
raise_here (void)
{
  int is_taken;

  __atomic_store_n (&page->is_raising, 1, __ATOMIC_SEQ_CST);
  kill (getpid (), SIGINT);
  is_taken = wait_for_listener ();
  __atomic_store_n (&page->is_raising, 0, __ATOMIC_SEQ_CST);
  return is_taken;
}

/* In its own process the host sees to the handler, for as long as it says so. */
static int
raise_in_host (void)
{
  int is_taken = 0;

  __atomic_store_n (&page->is_raising, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n (&page->is_open, __ATOMIC_SEQ_CST))
    {
      syscall (SYS_tgkill, getpid (), listener, SIGINT);
      is_taken = wait_for_listener ();
    }
  __atomic_store_n (&page->is_raising, 0, __ATOMIC_SEQ_CST);
  return is_taken;
}

static void
raise_for_julia (void)
{
  last_raise_ns = get_time_ns (CLOCK_MONOTONIC);
  if (listener == 0)
    listener = find_listener ();
  if (listener == 0 || !(page->listener != 0 ? raise_in_host () : raise_here ()))
    return;
  wanted.is_raised = 1;
  page->raised = wanted.call;
  page->n_raised++;
}

static int
may_raise (int n_users, const ucontext_t *context)
{
  int64_t now_ns = get_time_ns (CLOCK_MONOTONIC);
  MaltJudgePlace place = malt_judge_place_new (context);

  if (!is_julia_listening || wanted.is_raised ||
      (n_users != 1 && !wanted.may_hit_others) ||
      (last_raise_ns != 0 && now_ns - last_raise_ns < RAISE_INTERVAL_NS))
    return 0;
  if (malt_judge_julia_is_collecting () || malt_judge_place_is_in_system_image (&place))
    return 1;
  malt_judge_place_look_up (&place);
  return place.is_compiled;
}

static void
note_hit (void)
{
  page->n_hits = page->thrown == wanted.call ? page->n_hits + 1 : 1;
  page->thrown = wanted.call;
  page->n_thrown++;
  page->n_settled = page->n_raised;
  end_wanted ();
}

static int
may_force (int n_users, int64_t used_ns, const ucontext_t *context)
{
  MaltJudgePlace place = malt_judge_place_new (context);

  /* What could not be raised has waited for nothing. */
  if (!page->can_force ||
      (used_ns < FORCE_AFTER_NS && n_users == 1 && is_julia_listening))
    return 0;
  malt_judge_place_look_up (&place);
  return (place.is_compiled || malt_judge_place_is_in_interpreter (&place)) &&
         place.has_room;
}

/* What Julia was asked for is still pending, and the host has given it up: it is deferred
 * until the runtime can take it back. */
static void
mute (void)
{
  ++*malt_judge_julia.n_deferrals;
  page->muted = wanted.call;
  end_wanted ();
}

static int
is_running (const MaltJudgeCall *call)
{
  return call->task == (uint64_t) (uintptr_t) malt_judge_julia.get_current_task ();
}

static void
judge (ucontext_t *context)
{
  int n_users;
  int n_running;
  const MaltJudgeCall *call = find_call (&n_users, &n_running);
  int64_t used_ns = get_time_ns (CLOCK_THREAD_CPUTIME_ID) - wanted.start_ns;

  if (wanted.is_raised && !is_signal_pending ())
    {
      wanted.is_raised = 0;
      /* Otherwise the runtime has caught it where it would have hit nobody. */
      if (page->n_settled != page->n_raised)
        {
          note_hit ();
          return;
        }
    }
  if (call != NULL && wanted.is_raised && malt_judge_julia.n_deferrals != NULL &&
      is_withdrawn ())
    {
      if (is_running (call))
        mute ();
      return;
    }
  if (call == NULL || wanted.n_obeyed != count_obeyed () || is_withdrawn () ||
      used_ns > MAX_CPU_NS)
    {
      end_wanted ();
      return;
    }
  if (n_running == 0 || malt_judge_julia_is_masked ())
    return;
  if (may_raise (n_users, context))
    {
      raise_for_julia ();
      return;
    }
  if (!is_running (call) || !may_force (n_users, used_ns, context))
    return;
  page->n_forced++;
  note_hit ();
  force (context);
}

static const MaltJudgeCall *
find_in_user_code (uint64_t call)
{
  for (int i = 0; i < MALT_JUDGE_N_CALLS; i++)
    if (page->calls[i].call == (call | (uint64_t) MALT_JUDGE_IN_USER_CODE << 32))
      return &page->calls[i];
  return NULL;
}

/* Of several calls one is dealt with at a time: the one that runs before the one that
 * waits, for that is hit by its reader only when the other has ended. A host that sees no
 * effect asks again, which changes nothing. What has not begun, or has ended, is not
 * dealt with at all. */
static void
begin (uint64_t word)
{
  uint64_t name = MALT_JUDGE_CALL_OF (word);
  int may_hit_others = (word & MALT_JUDGE_FORCE) != 0;
  const MaltJudgeCall *call = name != 0 ? find_in_user_code (name) : NULL;
  const MaltJudgeCall *present =
      wanted.call != 0 && !is_withdrawn () ? find_in_user_code (wanted.call) : NULL;

  if (present != NULL && name == wanted.call)
    {
      wanted.may_hit_others |= may_hit_others;
      return;
    }
  if (call == NULL ||
      (word & MALT_JUDGE_BEHIND (0x7f)) != MALT_JUDGE_BEHIND (count_obeyed ()) ||
      (present != NULL &&
       (wanted.is_raised || is_running (present) || !is_running (call))))
    return;
  wanted.call = name;
  wanted.may_hit_others = may_hit_others;
  wanted.is_raised = 0;
  wanted.n_obeyed = count_obeyed ();
  wanted.start_ns = get_time_ns (CLOCK_THREAD_CPUTIME_ID);
  set_timer (TICK_NS);
}

static void
on_kick (int signum, siginfo_t *info, void *context)
{
  int saved_errno = errno;

  if (syscall (SYS_gettid) != julia_thread)
    syscall (SYS_rt_tgsigqueueinfo, getpid (), julia_thread, signum, info);
  else
    {
      if (info->si_code == SI_QUEUE)
        begin ((uint64_t) (uintptr_t) info->si_value.sival_ptr);
      if (wanted.call != 0)
        judge (context);
    }
  errno = saved_errno;
}

/* Being loaded: in the Julia thread */

/* Takes the last page of the file that this library comes from. */
static int
take_page (void)
{
  struct stat status;
  Dl_info info;
  void *mapped = MAP_FAILED;
  int fd =
      dladdr (&malt_judge, &info) != 0 ? open (info.dli_fname, O_RDWR | O_CLOEXEC) : -1;

  if (fd >= 0 && fstat (fd, &status) == 0 && status.st_size > MALT_JUDGE_PAGE_BYTES)
    mapped = mmap (&malt_judge, MALT_JUDGE_PAGE_BYTES, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_FIXED, fd, status.st_size - MALT_JUDGE_PAGE_BYTES);
  if (fd >= 0)
    close (fd);
  return mapped != MAP_FAILED;
}

static int
make_timer (void)
{
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = kick_signal };

  event._sigev_un._tid = julia_thread;
  return timer_create (CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
}

__attribute__ ((constructor)) static void
take_office (void)
{
  struct sigaction action = { .sa_sigaction = on_kick,
                              .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
  sigset_t blocked;

  julia_thread = (pid_t) syscall (SYS_gettid);
  kick_signal = SIGRTMIN + MALT_JUDGE_SIGNAL_OFFSET;
  if (!malt_judge_julia_find () || !take_page () || !make_timer () ||
      (julia_thread != getpid () && page->listener == 0))
    return;
  malt_judge_place_prepare ();
  if (page->listener == 0)
    stand_before_julia ();
  pthread_sigmask (SIG_SETMASK, NULL, &blocked);
  is_julia_listening = sigismember (&blocked, SIGINT) == 1 &&
                       malt_judge_julia.signal_pending != NULL &&
                       (page->has_gate || page->listener != 0);
  sigemptyset (&action.sa_mask);
  if (sigaction (kick_signal, &action, NULL) != 0)
    return;
  page->can_force = malt_judge_julia.n_deferrals != NULL &&
                    *malt_judge_julia.interrupt_exception != NULL;
  page->deferrals = (uint64_t) (uintptr_t) malt_judge_julia.n_deferrals;
  page->take = (uint64_t) (uintptr_t) take;
  page->pid = (uint32_t) getpid ();
  page->magic = MALT_JUDGE_MAGIC;
}
