/* SPDX-License-Identifier: MIT */
/* The judge on Linux: a memfd with the library and, behind it, the page. Elsewhere on
 * Unix there is none. */
#include "platform/malt-judge.h"

#ifdef __linux__
#include "base/malt-error-private.h"
#include "platform/malt-judge-page.h"
#include "platform/unix/malt-descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct _MaltJudge
{
  volatile MaltJudgePage *page; /* (owned) */
  int fd; /* (owned) */
  char *path; /* (owned) */
};

static gboolean
write_all (int fd, GBytes *bytes)
{
  gsize n_bytes;
  const char *data = g_bytes_get_data (bytes, &n_bytes);

  while (n_bytes > 0)
    {
      ssize_t n_written = write (fd, data, n_bytes);

      if (n_written <= 0)
        return FALSE;
      data += n_written;
      n_bytes -= (gsize) n_written;
    }
  return TRUE;
}

static gpointer
map_page (int fd, gsize n_library_bytes)
{
  off_t start = (off_t) ((n_library_bytes + MALT_JUDGE_PAGE_BYTES - 1) /
                         MALT_JUDGE_PAGE_BYTES * MALT_JUDGE_PAGE_BYTES);
  gpointer page = MAP_FAILED;

  if (ftruncate (fd, start + MALT_JUDGE_PAGE_BYTES) == 0)
    page =
        mmap (NULL, MALT_JUDGE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);
  return page != MAP_FAILED ? page : NULL;
}

MaltJudge *
malt_judge_new (GBytes *library, GError **error)
{
  MaltJudge *judge;
  gpointer page = NULL;
  int fd;

  if (library == NULL ||
      !malt_descriptor_may_hold (g_bytes_get_size (library) + 2 * MALT_JUDGE_PAGE_BYTES))
    return NULL;
  fd = malt_descriptor_raise (memfd_create ("malt-judge", MFD_CLOEXEC));
  if (fd >= 0 && write_all (fd, library))
    page = map_page (fd, g_bytes_get_size (library));
  if (page == NULL)
    {
      if (malt_error_code_of_errno (errno, MALT_ERROR_FAILED) == MALT_ERROR_RESOURCES)
        malt_error_set_by_errno (error, MALT_ERROR_FAILED, "cannot make the judge");
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  judge = g_new0 (MaltJudge, 1);
  judge->fd = fd;
  judge->page = page;
  judge->path = g_strdup_printf ("/proc/%d/fd/%d", (int) getpid (), fd);
  return judge;
}

void
malt_judge_free (MaltJudge *judge)
{
  munmap ((gpointer) judge->page, MALT_JUDGE_PAGE_BYTES);
  close (judge->fd);
  g_free (judge->path);
  g_free (judge);
}

const char *
malt_judge_get_path (MaltJudge *judge)
{
  return judge->path;
}

int
malt_judge_get_fd (MaltJudge *judge)
{
  return judge->fd;
}

gpointer
malt_judge_lend (MaltJudge *judge, gint64 listener)
{
  judge->page->listener = (guint32) listener;
  return (gpointer) judge->page;
}

gboolean
malt_judge_set_open (MaltJudge *judge, gboolean is_open)
{
  __atomic_store_n (&judge->page->is_open, is_open, __ATOMIC_SEQ_CST);
  if (is_open || !__atomic_load_n (&judge->page->is_raising, __ATOMIC_SEQ_CST))
    return TRUE;
  __atomic_store_n (&judge->page->is_open, TRUE, __ATOMIC_SEQ_CST);
  return FALSE;
}

void
malt_judge_expose (MaltJudge *judge, gboolean is_exposed)
{
  __atomic_store_n (&judge->page->is_exposed, is_exposed ? 1 : 0, __ATOMIC_SEQ_CST);
}

gboolean
malt_judge_is_ready (MaltJudge *judge)
{
  return judge->page->magic == MALT_JUDGE_MAGIC;
}

gboolean
malt_judge_can_force (MaltJudge *judge)
{
  return judge->page->can_force != 0;
}

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

gboolean
malt_judge_ask (MaltJudge *judge, const MaltJudgeTarget *target, guint64 call)
{
  siginfo_t info;

  /* Anybody else would be ended by the signal. */
  if (!malt_judge_is_ready (judge) || judge->page->pid != target->pid)
    return FALSE;
  memset (&info, 0, sizeof info);
  info.si_signo = SIGRTMIN + MALT_JUDGE_SIGNAL_OFFSET;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid ();
  info.si_uid = getuid ();
  info.si_value.sival_ptr = (gpointer) (guintptr) call;
  /* The judge passes on what another thread of its process is given. */
  if (target->pidfd >= 0)
    return syscall (SYS_pidfd_send_signal, target->pidfd, info.si_signo, &info, 0) == 0;
  return syscall (SYS_rt_tgsigqueueinfo, (pid_t) target->pid, (pid_t) target->thread,
                  info.si_signo, &info) == 0;
}

MaltJudgeCallState
malt_judge_look (MaltJudge *judge, guint64 call, guint32 n_thrown)
{
  for (gsize i = 0; i < MALT_JUDGE_N_CALLS; i++)
    {
      guint64 word = judge->page->calls[i].call;
      guint32 state = MALT_JUDGE_STATE_OF (word);

      if (MALT_JUDGE_CALL_OF (word) != call || state == MALT_JUDGE_FREE)
        continue;
      if (judge->page->thrown == call && judge->page->n_thrown != n_thrown)
        return MALT_JUDGE_CALL_HIT;
      return state == MALT_JUDGE_IN_USER_CODE ? MALT_JUDGE_CALL_IN_USER_CODE
                                              : MALT_JUDGE_CALL_OVER;
    }
  return MALT_JUDGE_CALL_UNKNOWN;
}

guint32
malt_judge_count_thrown (MaltJudge *judge)
{
  return judge->page->n_thrown;
}

guint32
malt_judge_count_obeyed (MaltJudge *judge)
{
  return judge->page->n_thrown + judge->page->n_taken;
}

guint
malt_judge_count_calls (MaltJudge *judge)
{
  guint n_calls = 0;

  for (gsize i = 0; i < MALT_JUDGE_N_CALLS; i++)
    n_calls +=
        MALT_JUDGE_STATE_OF (judge->page->calls[i].call) == MALT_JUDGE_IN_USER_CODE;
  return n_calls;
}

gboolean
malt_judge_is_raising (MaltJudge *judge)
{
  return judge->page->n_raised != judge->page->n_settled &&
         judge->page->muted != judge->page->raised;
}

static volatile guint64 *
get_request (MaltJudge *judge, guint64 call)
{
  return &judge->page->requests[(guint32) call % MALT_JUDGE_N_CALLS];
}

void
malt_judge_request (MaltJudge *judge, guint64 call)
{
  __atomic_store_n (get_request (judge, call),
                    MALT_JUDGE_REQUEST (call, MALT_JUDGE_ASKED), __ATOMIC_SEQ_CST);
}

gboolean
malt_judge_withdraw (MaltJudge *judge, guint64 call)
{
  guint64 request = MALT_JUDGE_REQUEST (call, MALT_JUDGE_ASKED);

  __atomic_compare_exchange_n (get_request (judge, call), &request,
                               MALT_JUDGE_REQUEST (call, MALT_JUDGE_WITHDRAWN), FALSE,
                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return request != MALT_JUDGE_REQUEST (call, MALT_JUDGE_TAKEN);
}

int
malt_judge_open_run_time (gint64 thread)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/task/%d/schedstat", (int) thread, (int) thread);

  return malt_descriptor_raise (open (path, O_RDONLY | O_CLOEXEC));
}

void
malt_judge_close_run_time (int fd)
{
  if (fd >= 0)
    close (fd);
}

gint64
malt_judge_get_run_time (int fd)
{
  char text[128];
  ssize_t n_bytes = pread (fd, text, sizeof text - 1, 0);
  gint64 run_time_ns;

  if (n_bytes <= 0)
    return -1;
  text[n_bytes] = '\0';
  /* 0 is what a system says that does not count. */
  run_time_ns = g_ascii_strtoll (text, NULL, 10);
  return run_time_ns > 0 ? run_time_ns / 1000 : -1;
}
#endif
