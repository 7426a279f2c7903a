/* SPDX-License-Identifier: MIT */
/* The judge on Linux: a memfd with the library and, behind it, the page. Elsewhere on Unix there is none. */
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

  if (library == NULL)
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

gboolean
malt_judge_is_ready (MaltJudge *judge)
{
  return judge->page->magic == MALT_JUDGE_MAGIC;
}

gboolean
malt_judge_ask (MaltJudge *judge, gint64 pid, guint32 call_id, gboolean may_hit_others)
{
  siginfo_t info;
  guint64 value = call_id | (may_hit_others ? MALT_JUDGE_FORCE : 0);

  if (!malt_judge_is_ready (judge))
    return FALSE;
  memset (&info, 0, sizeof info);
  info.si_signo = SIGRTMIN + MALT_JUDGE_SIGNAL_OFFSET;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid ();
  info.si_uid = getuid ();
  info.si_value.sival_ptr = (gpointer) (guintptr) value;
  return syscall (SYS_rt_tgsigqueueinfo, (pid_t) pid, (pid_t) pid, info.si_signo,
                  &info) == 0;
}

MaltJudgeCallState
malt_judge_look (MaltJudge *judge, guint32 call_id)
{
  for (gsize i = 0; i < MALT_JUDGE_N_CALLS; i++)
    {
      volatile MaltJudgeCall *call = &judge->page->calls[i];

      if (call->id != call_id || call->state == MALT_JUDGE_FREE)
        continue;
      if (judge->page->thrown_id == call_id)
        return MALT_JUDGE_CALL_HIT;
      return call->state == MALT_JUDGE_IN_USER_CODE ? MALT_JUDGE_CALL_IN_USER_CODE
                                                    : MALT_JUDGE_CALL_OVER;
    }
  return MALT_JUDGE_CALL_UNKNOWN;
}

gboolean
malt_judge_is_raising (MaltJudge *judge)
{
  return judge->page->n_raised != judge->page->n_settled;
}

void
malt_judge_withdraw (MaltJudge *judge, guint32 call_id, gboolean is_withdrawn)
{
  volatile guint32 *place = &judge->page->withdrawn[call_id % MALT_JUDGE_N_CALLS];

  if (is_withdrawn)
    *place = call_id;
  else if (*place == call_id)
    *place = 0;
}

gint64
malt_judge_get_run_time (gint64 pid)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/task/%d/schedstat", (int) pid, (int) pid);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return -1;
  return g_ascii_strtoll (text, NULL, 10) / 1000;
}
#endif
