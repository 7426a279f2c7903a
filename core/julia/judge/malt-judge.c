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
 *   - First, once for each interrupt, SIGINT for Julia itself, which throws at the next safepoint: the sound way. Only while no other call
 *     has begun user code, since it hits whatever comes to a safepoint first; never two within RAISE_INTERVAL_NS, since several in a row make Julia throw
 *     wherever it is; and only in code that is not masked, so that it does not hang over the compiler.
 *   - FORCE_AFTER_NS later, or at once where that was not possible, the exception is forced, if all of these hold: the task is that of the call;
 *     the call is in user code; signals are not deferred, by the runtime (which is masked but for user code), by the compiler or by any lock of
 *     Julia's; the instruction is in memory that Julia has compiled code into at run time, or in an image of a package. So never in libjulia, in
 *     the system image, in LLVM or in C code. The thread's registers are set as if the code had called `throw` there.
 *
 * At an arbitrary instruction that is still unsound for code that expects no exception there: rare, never safe. n_forced tells the runtime.
 *
 * The counter of deferrals is a field of Julia's thread state, whose place differs by version. It is found by calling the functions
 * that change it; if that does not give one place, nothing is forced (can_force is 0).
 */
#include "platform/malt-judge-page.h"

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
static volatile sig_atomic_t *n_deferrals; /* (nullable) */
static size_t (*get_world) (void); /* (nullable): of the running task */
static size_t first_world; /* that users' code can run in */

static pid_t main_thread;
static timer_t timer;
static int kick_signal;
static int is_julia_listening; /* SIGINT is for Julia's own thread */

/* The interrupt that is under way: in the handler only. */
static struct
{
  uint32_t id; /* 0: none */
  int may_hit_others;
  int is_raised;
  int was_pending;
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
  wanted.id = 0;
  set_timer (0);
}

/* Where is it? */

#if defined(__x86_64__)
static uintptr_t
get_instruction (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.gregs[REG_RIP];
}
#elif defined(__aarch64__)
static uintptr_t
get_instruction (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.pc;
}
#else
#error "no judge for this processor"
#endif

/* A line of /proc/self/maps that has the address: code that Julia has compiled, into memory without a file or into a package's image? */
static int
is_line_of_compiled_code (const char *line)
{
  const char *access = strchr (line, ' ');
  const char *path = strchr (line, '/');

  if (access == NULL || access[3] != 'x')
    return 0;
  if (path == NULL)
    return strchr (line, '[') == NULL;
  if (strstr (path, "malt-judge") != NULL)
    return 0;
  return strstr (path, "(deleted)") != NULL || strstr (path, "/compiled/v") != NULL;
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

static int
has_address (const char *line, uintptr_t address)
{
  uintptr_t start = take_number (&line);
  uintptr_t end;

  if (*line != '-')
    return 0;
  line++;
  end = take_number (&line);
  return address >= start && address < end;
}

/* Without the heap, which the interrupted code may be in the middle of. */
static int
is_compiled_code (uintptr_t address)
{
  static char text[16384 + 1];
  size_t n_kept = 0;
  int is_found = 0;
  int is_right = 0;
  int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);

  while (fd >= 0 && !is_found)
    {
      ssize_t n_read = read (fd, text + n_kept, sizeof text - 1 - n_kept);
      char *line = text;
      char *line_end;

      if (n_read <= 0)
        break;
      text[n_kept + (size_t) n_read] = '\0';
      for (; !is_found && (line_end = strchr (line, '\n')) != NULL; line = line_end + 1)
        {
          *line_end = '\0';
          is_found = has_address (line, address);
          is_right = is_found && is_line_of_compiled_code (line);
        }
      n_kept = strlen (line);
      memmove (text, line, n_kept);
    }
  if (fd >= 0)
    close (fd);
  return is_right;
}

/* Throwing */

static void
throw_interrupt (void)
{
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

/* Also in type inference, which runs in the world of the system image, and swallows exceptions. */
static int
is_masked (void)
{
  return (n_deferrals != NULL && *n_deferrals != 0) ||
         (get_world != NULL && get_world () < first_world);
}

static int
is_withdrawn (void)
{
  const volatile uint32_t *place = &page->withdrawn[wanted.id % MALT_JUDGE_N_CALLS];

  return *place == wanted.id;
}

/* How many calls are in user code; the one that is wanted, or NULL. */
static const MaltJudgeCall *
find_call (int *out_n_users)
{
  const MaltJudgeCall *found = NULL;

  *out_n_users = 0;
  for (int i = 0; i < MALT_JUDGE_N_CALLS; i++)
    {
      const volatile MaltJudgeCall *call = &page->calls[i];

      if (call->state != MALT_JUDGE_IN_USER_CODE)
        continue;
      ++*out_n_users;
      if (call->id == wanted.id)
        found = &page->calls[i];
    }
  return found;
}

static void
raise_for_julia (int64_t now_ns)
{
  wanted.is_raised = 1;
  wanted.start_ns = get_time_ns (CLOCK_THREAD_CPUTIME_ID);
  last_raise_ns = now_ns;
  page->n_raised++;
  kill (getpid (), SIGINT);
}

static int
may_raise (int n_users)
{
  int64_t now_ns = get_time_ns (CLOCK_MONOTONIC);

  return is_julia_listening && !wanted.is_raised &&
         (n_users == 1 || wanted.may_hit_others) &&
         (last_raise_ns == 0 || now_ns - last_raise_ns >= RAISE_INTERVAL_NS);
}

/* Julia has thrown what it was asked for. */
static int
was_thrown_by_julia (void)
{
  if (!wanted.is_raised || signal_pending == NULL)
    return 0;
  if (*signal_pending != 0)
    wanted.was_pending = 1;
  return wanted.was_pending && *signal_pending == 0;
}

/* The boot does not know its task; what is not masked beside it is of the same call, while that is the only one. */
static int
is_running (const MaltJudgeCall *call, int n_users)
{
  if (call->task == 0)
    return n_users == 1;
  return (uint64_t) (uintptr_t) get_current_task () == call->task;
}

static void
judge (ucontext_t *context)
{
  int n_users;
  const MaltJudgeCall *call = find_call (&n_users);
  int64_t used_ns = get_time_ns (CLOCK_THREAD_CPUTIME_ID) - wanted.start_ns;

  if (was_thrown_by_julia ())
    page->thrown_id = wanted.id;
  if (call == NULL || page->thrown_id == wanted.id || is_withdrawn () ||
      used_ns > MAX_CPU_NS)
    {
      end_wanted ();
      return;
    }
  if (is_masked ())
    return;
  if (may_raise (n_users))
    {
      raise_for_julia (get_time_ns (CLOCK_MONOTONIC));
      return;
    }
  if ((wanted.is_raised && used_ns < FORCE_AFTER_NS) || !page->can_force ||
      !is_running (call, n_users) || !is_compiled_code (get_instruction (context)))
    return;
  page->n_forced++;
  page->thrown_id = wanted.id;
  end_wanted ();
  force (context);
}

/* A host that sees no effect asks again, which changes nothing. */
static void
begin (uint64_t value)
{
  if (wanted.id == (uint32_t) value)
    {
      wanted.may_hit_others |= (value & MALT_JUDGE_FORCE) != 0;
      return;
    }
  wanted.id = (uint32_t) value;
  wanted.may_hit_others = (value & MALT_JUDGE_FORCE) != 0;
  wanted.is_raised = 0;
  wanted.was_pending = 0;
  wanted.start_ns = get_time_ns (CLOCK_THREAD_CPUTIME_ID);
  if (page->thrown_id == wanted.id)
    page->thrown_id = 0;
  set_timer (wanted.id != 0 ? TICK_NS : 0);
}

static void
on_kick (int signum, siginfo_t *info, void *context)
{
  int saved_errno = errno;

  if (syscall (SYS_gettid) != main_thread)
    syscall (SYS_rt_tgsigqueueinfo, getpid (), main_thread, signum, info);
  else
    {
      if (info->si_code == SI_QUEUE)
        begin ((uint64_t) (uintptr_t) info->si_value.sival_ptr);
      if (wanted.id != 0)
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

/* What can be read there, in words: the size of the state differs. */
static int
copy_state (int32_t *words, void *state)
{
  struct iovec copy = { words, STATE_BYTES };
  struct iovec source = { state, STATE_BYTES };
  ssize_t n_bytes;

  do
    {
      n_bytes = process_vm_readv (getpid (), &copy, 1, &source, 1, 0);
      source.iov_len -= n_bytes < 0 ? 1024 : 0;
    }
  while (n_bytes < 0 && source.iov_len > 1024);
  return n_bytes > 0 ? (int) (n_bytes / 4) : 0;
}

/* The word of Julia's thread state that counts deferrals: the one that goes up as often as it is told to. */
static void
find_deferrals (void)
{
  static int32_t before[STATE_BYTES / 4];
  static int32_t after[STATE_BYTES / 4];
  void *(*get_state) (void);
  void (*defer) (void);
  void (*allow) (void);
  void *state;
  int n_words;
  int n_found = 0;

  *(void **) &get_state = find_symbol ("jl_get_ptls_states");
  *(void **) &defer = find_symbol ("jl_sigatomic_begin");
  *(void **) &allow = find_symbol ("jl_sigatomic_end");
  if (get_state == NULL || defer == NULL || allow == NULL)
    return;
  state = get_state ();
  n_words = copy_state (before, state);
  for (int i = 0; i < N_PROOFS; i++)
    defer ();
  if (copy_state (after, state) < n_words)
    n_words = 0;
  for (int i = 0; i < N_PROOFS; i++)
    allow ();
  for (int i = 0; i < n_words; i++)
    if (after[i] == before[i] + N_PROOFS)
      {
        n_deferrals = (volatile sig_atomic_t *) state + i;
        n_found++;
      }
  if (n_found != 1)
    n_deferrals = NULL;
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
  signal_pending = find_symbol ("jl_signal_pending");
  return get_current_task != NULL && throw_exception != NULL &&
         interrupt_exception != NULL;
}

static int
make_timer (void)
{
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = kick_signal };

  event._sigev_un._tid = main_thread;
  return timer_create (CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
}

__attribute__ ((constructor)) static void
take_office (void)
{
  struct sigaction action = { .sa_sigaction = on_kick,
                              .sa_flags = SA_SIGINFO | SA_RESTART };
  sigset_t blocked;

  main_thread = (pid_t) syscall (SYS_gettid);
  kick_signal = SIGRTMIN + MALT_JUDGE_SIGNAL_OFFSET;
  if (main_thread != getpid () || !find_julia () || !take_page () || !make_timer ())
    return;
  find_deferrals ();
  pthread_sigmask (SIG_SETMASK, NULL, &blocked);
  is_julia_listening = sigismember (&blocked, SIGINT) == 1;
  sigemptyset (&action.sa_mask);
  if (sigaction (kick_signal, &action, NULL) != 0)
    return;
  page->can_force = n_deferrals != NULL && *interrupt_exception != NULL;
  page->magic = MALT_JUDGE_MAGIC;
}

/* Called by the runtime */

/* The thread in which Julia waits for signals; 0: not found. */
static pid_t
find_listener (void)
{
  char path[64];
  char text[32];

  for (pid_t thread = main_thread + 1; thread < main_thread + 256; thread++)
    {
      FILE *file;
      int is_waiting;

      snprintf (path, sizeof path, "/proc/self/task/%d/syscall", (int) thread);
      file = fopen (path, "re");
      if (file == NULL)
        continue;
      is_waiting =
          fgets (text, sizeof text, file) != NULL && atoi (text) == SYS_rt_sigtimedwait;
      fclose (file);
      if (is_waiting)
        return thread;
    }
  return 0;
}

/* Waits until Julia's own thread has dealt with each SIGINT that was sent: then the exception is pending, or was thrown. */
EXPORT void
malt_judge_settle (void)
{
  struct timespec moment = { 0, MILLISECOND_NS / 2 };

  for (int i = 0; i < 4000; i++)
    {
      sigset_t pending;

      sigpending (&pending);
      if (sigismember (&pending, SIGINT) != 1 && find_listener () != 0)
        break;
      nanosleep (&moment, NULL);
    }
  page->n_settled = page->n_raised;
}
