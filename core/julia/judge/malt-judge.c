/* SPDX-License-Identifier: MIT */
/*
 * The judge: decides in the worker's Julia thread, at the very instruction at which it was interrupted, whether an InterruptException may be
 * thrown there. It is a small library of its own, without GLib, that the worker loads from memory of its host.
 *
 * Why here. A host can look at a worker and then send it a signal, but between the two the worker goes on: the signal may find another call, or
 * the compiler. What runs in a handler of the thread itself sees what it hits.
 *
 * How. The host sends one signal for a call (malt-judge-page.h). From then on a timer of the thread's own processor time brings the same
 * signal every few milliseconds in which the thread has run, so nothing depends on how loaded the machine is, and a thread
 * that sleeps is left alone. It ends when the call has ended, when an exception was thrown, or after MAX_CPU_NS. Each time:
 *
 *   - First, once for each interrupt, SIGINT for Julia itself, which throws at the next safepoint: the sound way. Only while the code of the call runs, in its
 *     own task: another task may end before it comes to a safepoint, and an exception at its end ends the process. Only while no other call
 *     has begun user code, since it hits whatever comes to a safepoint first; never two within RAISE_INTERVAL_NS, since several in a row make Julia throw
 *     wherever it is; only in code that is not masked, so that it does not hang over the compiler;
 *     only in code that Julia has compiled, or while garbage is collected. C code may take longer than the host waits, and what was given up must not hit later; and from libjulia the way may lead into
 *     type inference, before which there is no safepoint, and which swallows exceptions. The handler waits until Julia's own thread has taken
 *     the signal. So from then on the exception is pending, or has been thrown.
 *   - FORCE_AFTER_NS later, or at once where that was not possible, the exception is forced, if all of these hold: the task is that of the call;
 *     the call is in user code; signals are not deferred, by the runtime (which is masked but for user code), by the compiler, by any lock of
 *     Julia's, or by a finalizer, which swallows exceptions; the instruction is in memory that Julia has compiled code into at run time, or in an image of a package;
 *     the stack has room. So never in libjulia, in the system image, in LLVM or in C code. The thread's registers are set as if the code had called
 *     `throw` there. What was pending is what is thrown: one interrupt, one exception.
 *
 * Where neither ends the call (a loop of the system image without a safepoint) and the host gives it up, what is pending is deferred: it must not hit later.
 *
 * At an arbitrary instruction that is still unsound for code that expects no exception there: rare, never safe. n_forced tells the runtime.
 *
 * Places in Julia's thread state differ by version. They are found by calling the functions that change them; if that does not give one place for
 * the counter of deferrals, nothing is forced (can_force is 0).
 */
#include "platform/malt-judge-page.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define MILLISECOND_NS INT64_C (1000000)
#define TICK_NS MILLISECOND_NS
#define FORCE_AFTER_NS (250 * MILLISECOND_NS)
#define RAISE_INTERVAL_NS (1000 * MILLISECOND_NS)
#define MAX_CPU_NS (60000 * MILLISECOND_NS)
#define STATE_BYTES \
  32768 /* of Julia's thread state, in which the counter is looked for */
#define N_PROOFS 5
#define GC_WAITING 1 /* of gc_state: collects garbage, or waits for who does */
#define GC_SAFE 2
#define STACK_ROOM_BYTES 65536 /* for the throw: Julia walks the stack */
#define LISTENER_NS (2000 * MILLISECOND_NS) /* that Julia's own thread may take */
#define MAX_LIBRARIES 256

#define EXPORT __attribute__ ((visibility ("default")))

/* The page of the host takes this place. */
EXPORT union
{
  MaltJudgePage page;
  char bytes[MALT_JUDGE_PAGE_BYTES];
} malt_judge __attribute__ ((aligned (MALT_JUDGE_PAGE_BYTES)));

static MaltJudgePage *const page = &malt_judge.page;

/* Of Julia. */
static void *(*get_current_task) (void);
static void (*throw_exception) (void *exception);
static void **interrupt_exception;
static volatile uint32_t *signal_pending; /* (nullable) */
static void (*begin_deferral) (void);
static void (*end_deferral) (void); /* throws what is pending */
static volatile sig_atomic_t *n_deferrals; /* (nullable) */
static int8_t (*get_in_finalizer) (void); /* (nullable) */
static volatile int8_t *in_finalizer; /* (nullable): where there is no function */
static volatile int8_t *gc_state; /* (nullable) */
static size_t (*get_world) (void); /* (nullable): of the running task */
static size_t first_world; /* that users' code can run in */

static pid_t julia_thread;
static timer_t timer;
static int kick_signal;
static int is_julia_listening; /* SIGINT is for Julia's own thread */
static pid_t listener; /* in which Julia waits for signals; 0: not found */
static void (*julia_handler) (int); /* (nullable) of SIGINT; not in the host's process */

typedef struct
{
  const char *name;
  uintptr_t start;
  uintptr_t end;
} Library;
static Library system_image;

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

/* Where is it? */

#if defined(__x86_64__)
static uintptr_t
get_instruction (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.gregs[REG_RIP];
}

static uintptr_t
get_stack (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.gregs[REG_RSP];
}
#elif defined(__aarch64__)
static uintptr_t
get_instruction (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.pc;
}

static uintptr_t
get_stack (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.sp;
}
#else
#error "no judge for this processor"
#endif

/* A line of /proc/self/maps: code that Julia has compiled, into memory without a file or of a file of its own, or that a package's image has? What others
 * compile (regular expressions, callbacks of libffi) can be written to. */
static int
is_line_of_compiled_code (const char *line)
{
  const char *access = strchr (line, ' ');
  const char *path = strchr (line, '/');

  if (access == NULL || access[2] == 'w' || access[3] != 'x')
    return 0;
  if (path == NULL)
    return strchr (line, '[') == NULL;
  return strstr (path, "julia-codegen") != NULL || strstr (path, "/compiled/v") != NULL;
}

static uintptr_t
take_number (const char **text)
{
  uintptr_t number = 0;

  for (;; (*text)++)
    {
      char c = **text;

      if (c >= '0' && c <= '9')
        number = number << 4 | (uintptr_t) (c - '0');
      else if (c >= 'a' && c <= 'f')
        number = number << 4 | (uintptr_t) (c - 'a' + 10);
      else
        return number;
    }
}

/* What /proc/self/maps says of a place, and of the stack. */
typedef struct
{
  uintptr_t instruction;
  uintptr_t stack;
  int is_compiled; /* the instruction is */
  int has_room; /* the stack has */
} Place;

static void
compare_line (Place *place, const char *line)
{
  const char *rest = line;
  uintptr_t start = take_number (&rest);
  uintptr_t end;

  if (*rest != '-')
    return;
  rest++;
  end = take_number (&rest);
  if (place->instruction >= start && place->instruction < end)
    place->is_compiled = is_line_of_compiled_code (line);
  if (place->stack >= start && place->stack < end)
    place->has_room = place->stack - start >= STACK_ROOM_BYTES;
}

/* Without the heap, which the interrupted code may be in the middle of. */
static void
look_up (Place *place)
{
  static char text[16384 + 1];
  size_t n_kept = 0;
  int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);

  while (fd >= 0)
    {
      ssize_t n_read = read (fd, text + n_kept, sizeof text - 1 - n_kept);
      char *line = text;
      char *line_end;

      if (n_read <= 0)
        break;
      text[n_kept + (size_t) n_read] = '\0';
      for (; (line_end = strchr (line, '\n')) != NULL; line = line_end + 1)
        {
          *line_end = '\0';
          compare_line (place, line);
        }
      n_kept = strlen (line);
      memmove (text, line, n_kept);
    }
  if (fd >= 0)
    close (fd);
}

/* Throwing */

static void
throw_interrupt (void)
{
  begin_deferral ();
  end_deferral ();
  throw_exception (*interrupt_exception);
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

/* Also in finalizers, and in type inference, which runs in the world of the system image: both swallow exceptions. */
static int
is_masked (void)
{
  return (n_deferrals != NULL && *n_deferrals != 0) ||
         (get_in_finalizer != NULL ? get_in_finalizer ()
                                   : in_finalizer != NULL && *in_finalizer != 0) ||
         (get_world != NULL && get_world () < first_world);
}

static uint32_t
count_obeyed (void)
{
  return page->n_thrown + page->n_taken;
}

static int
is_withdrawn (void)
{
  const volatile uint64_t *place =
      &page->withdrawn[(uint32_t) wanted.call % MALT_JUDGE_N_CALLS];

  return *place == wanted.call;
}

/* How many calls are in user code, and how many of these the running task belongs to; the one that is wanted, or NULL. */
static const MaltJudgeCall *
find_call (int *out_n_users, int *out_n_running)
{
  const MaltJudgeCall *found = NULL;
  uint64_t task = (uint64_t) (uintptr_t) get_current_task ();

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

/* Without the heap, too. In a host's own process there may be others that wait for signals, so the host has said which it is. */
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

/* What pends for the process may be the host's, where that is the same; what pends for another thread cannot be seen. */
static int
is_signal_pending (void)
{
  sigset_t pending;

  if (*signal_pending != 0 || page->listener != 0)
    return *signal_pending != 0 || !is_listening (listener);
  return sigpending (&pending) == 0 && sigismember (&pending, SIGINT) == 1;
}

/* Waits until Julia's own thread has taken the signal: then the exception is pending, or Julia has dropped it. */
static int
wait_for_listener (void)
{
  struct timespec moment = { 0, MILLISECOND_NS / 20 };
  int64_t end_ns = get_time_ns (CLOCK_MONOTONIC) + LISTENER_NS;

  while (*signal_pending == 0 && get_time_ns (CLOCK_MONOTONIC) < end_ns)
    {
      if (!is_signal_pending () && is_listening (listener))
        break;
      nanosleep (&moment, NULL);
    }
  return is_signal_pending ();
}

/* Julia drops a signal that does not reach its handler: it is called in Julia's own thread, which asks by that whether
 * the signal counts. So nothing that others send is thrown anywhere, however often they do. */
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
  Place place = { .instruction = get_instruction (context) };
  int is_collecting = gc_state != NULL && *gc_state == GC_WAITING;

  if (!is_julia_listening || wanted.is_raised ||
      (n_users != 1 && !wanted.may_hit_others) ||
      (last_raise_ns != 0 && now_ns - last_raise_ns < RAISE_INTERVAL_NS))
    return 0;
  if (is_collecting ||
      (place.instruction >= system_image.start && place.instruction < system_image.end))
    return 1;
  look_up (&place);
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
  Place place = { .instruction = get_instruction (context),
                  .stack = get_stack (context) };

  /* What could not be raised has waited for nothing. */
  if (!page->can_force ||
      (used_ns < FORCE_AFTER_NS && n_users == 1 && is_julia_listening))
    return 0;
  look_up (&place);
  return place.is_compiled && place.has_room;
}

/* What Julia was asked for is still pending, and the host has given it up: it is deferred until the runtime can take it back. */
static void
mute (void)
{
  ++*n_deferrals;
  page->muted = wanted.call;
  end_wanted ();
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
  if (call != NULL && wanted.is_raised && n_deferrals != NULL && is_withdrawn ())
    {
      if (call->task == (uint64_t) (uintptr_t) get_current_task ())
        mute ();
      return;
    }
  if (call == NULL || wanted.n_obeyed != count_obeyed () || is_withdrawn () ||
      used_ns > MAX_CPU_NS)
    {
      end_wanted ();
      return;
    }
  if (n_running == 0 || is_masked ())
    return;
  if (may_raise (n_users, context))
    {
      raise_for_julia ();
      return;
    }
  if (call->task != (uint64_t) (uintptr_t) get_current_task () ||
      !may_force (n_users, used_ns, context))
    return;
  page->n_forced++;
  note_hit ();
  force (context);
}

static int
is_in_user_code (uint64_t call)
{
  for (int i = 0; i < MALT_JUDGE_N_CALLS; i++)
    if (page->calls[i].call == (call | (uint64_t) MALT_JUDGE_IN_USER_CODE << 32))
      return 1;
  return 0;
}

/* A host that sees no effect asks again, which changes nothing. Of several calls one is dealt with at a time, and one that has not begun, or that
 * has ended, not at all. */
static void
begin (uint64_t word)
{
  uint64_t call = MALT_JUDGE_CALL_OF (word);
  int may_hit_others = (word & MALT_JUDGE_FORCE) != 0;

  if (wanted.call != 0 && is_in_user_code (wanted.call) && !is_withdrawn ())
    {
      wanted.may_hit_others |= call == wanted.call && may_hit_others;
      return;
    }
  if (call == 0 || !is_in_user_code (call) ||
      (word & MALT_JUDGE_BEHIND (0x7f)) != MALT_JUDGE_BEHIND (count_obeyed ()))
    return;
  wanted.call = call;
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

static void *
find_symbol (const char *name)
{
  return dlsym (RTLD_DEFAULT, name);
}

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

/* The word of Julia's thread state that counts deferrals: the one that goes up as often as it is told to. */
static void
find_deferrals (char *state)
{
  int n_found = 0;
  int n_bytes = copy_state (before, state);

  for (int i = 0; i < N_PROOFS; i++)
    begin_deferral ();
  if (copy_state (after, state) < n_bytes)
    n_bytes = 0;
  for (int i = 0; i < N_PROOFS; i++)
    end_deferral ();
  for (int i = 0; i + 4 <= n_bytes; i += 4)
    if (*(int32_t *) (after + i) == *(int32_t *) (before + i) + N_PROOFS)
      {
        n_deferrals = (volatile sig_atomic_t *) (state + i);
        n_found++;
      }
  if (n_found != 1)
    n_deferrals = NULL;
}

/* Before Julia had a function for that, the byte that says so was the one before that which switches the collection of garbage off. */
static void
find_in_finalizer (char *state)
{
  int (*enable_collection) (int is_enabled);
  int n_found = 0;
  int n_bytes = copy_state (before, state);

  *(void **) &get_in_finalizer = find_symbol ("jl_gc_is_in_finalizer");
  *(void **) &enable_collection = find_symbol ("jl_gc_enable");
  if (get_in_finalizer != NULL || enable_collection == NULL)
    return;
  enable_collection (0);
  if (copy_state (after, state) < n_bytes)
    n_bytes = 0;
  enable_collection (1);
  for (int i = 1; i < n_bytes; i++)
    if (after[i] == 1 && before[i] == 0 && before[i - 1] == 0)
      {
        in_finalizer = (volatile int8_t *) (state + i - 1);
        n_found++;
      }
  if (n_found != 1)
    in_finalizer = NULL;
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
        gc_state = (volatile int8_t *) (state + i);
        n_found++;
      }
  if (n_found != 1)
    gc_state = NULL;
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

static Library libraries[MAX_LIBRARIES];
static int n_libraries;

static int
add_library (struct dl_phdr_info *info, size_t n_bytes, void *data)
{
  Library *library = &libraries[n_libraries];

  (void) n_bytes;
  (void) data;
  if (n_libraries == MAX_LIBRARIES || info->dlpi_name == NULL || *info->dlpi_name == '\0')
    return 0;
  library->name = info->dlpi_name;
  library->start = UINTPTR_MAX;
  for (int i = 0; i < info->dlpi_phnum; i++)
    {
      const ElfW (Phdr) *part = &info->dlpi_phdr[i];
      uintptr_t start = (uintptr_t) (info->dlpi_addr + part->p_vaddr);

      if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
        continue;
      library->start = start < library->start ? start : library->start;
      library->end =
          start + part->p_memsz > library->end ? start + part->p_memsz : library->end;
    }
  n_libraries++;
  return 0;
}

static int
is_system_image (const Library *library)
{
  void *handle = dlopen (library->name, RTLD_LAZY | RTLD_NOLOAD);
  int is_image = handle != NULL && dlsym (handle, "jl_system_image_data") != NULL;

  if (handle != NULL)
    dlclose (handle);
  return is_image;
}

/* Nothing else has been loaded of what Julia has compiled. */
static void
find_system_image (void)
{
  dl_iterate_phdr (add_library, NULL);
  for (int i = 0; i < n_libraries; i++)
    if (is_system_image (&libraries[i]))
      system_image = libraries[i];
}

static int
find_julia (void)
{
  size_t (*count_worlds) (void);

  *(void **) &count_worlds = find_symbol ("jl_get_world_counter");
  *(void **) &get_world = find_symbol ("jl_get_tls_world_age");
  if (count_worlds == NULL)
    get_world = NULL;
  else
    first_world = count_worlds ();
  *(void **) &get_current_task = find_symbol ("jl_get_current_task");
  *(void **) &throw_exception = find_symbol ("jl_throw");
  interrupt_exception = find_symbol ("jl_interrupt_exception");
  *(void **) &begin_deferral = find_symbol ("jl_sigatomic_begin");
  *(void **) &end_deferral = find_symbol ("jl_sigatomic_end");
  signal_pending = find_symbol ("jl_signal_pending");
  return get_current_task != NULL && throw_exception != NULL &&
         interrupt_exception != NULL && begin_deferral != NULL && end_deferral != NULL;
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
  if (!find_julia () || !take_page () || !make_timer () ||
      (julia_thread != getpid () && page->listener == 0))
    return;
  find_state ();
  find_system_image ();
  if (page->listener == 0)
    stand_before_julia ();
  pthread_sigmask (SIG_SETMASK, NULL, &blocked);
  is_julia_listening = sigismember (&blocked, SIGINT) == 1 && signal_pending != NULL &&
                       (page->has_gate || page->listener != 0);
  sigemptyset (&action.sa_mask);
  if (sigaction (kick_signal, &action, NULL) != 0)
    return;
  page->can_force = n_deferrals != NULL && *interrupt_exception != NULL;
  page->deferrals = (uint64_t) (uintptr_t) n_deferrals;
  page->pid = (uint32_t) getpid ();
  page->magic = MALT_JUDGE_MAGIC;
}
