/* SPDX-License-Identifier: MIT */
/* The small services of the platform, on Unix. */
#include "platform/malt-platform.h"

#include "base/malt-error-private.h"
#include "base/malt-signals.h"
#include "platform/unix/malt-poll.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum
{
  N_STREAMS = STDERR_FILENO + 1,
  N_SPARE = 8, /* more than contexts take: other threads open descriptors, too */
  N_SPARE_THREADS = 4,
  MAX_CHECKED_THREADS = 16
};

#define DEFAULT_STACK_BYTES ((gsize) 8 * 1024 * 1024)
#define MAX_STACK_BYTES ((gsize) 64 * 1024 * 1024) /* where nothing limits it */
#define LEAST_STACK_BYTES ((gsize) 1024 * 1024)

MaltPlatform
malt_platform_get (void)
{
#ifdef __APPLE__
  return MALT_PLATFORM_MACOS;
#else
  return MALT_PLATFORM_LINUX;
#endif
}

/* The environment */

const char *const malt_platform_variables[] = {
#ifdef __APPLE__
  "DYLD_LIBRARY_PATH",
  "DYLD_FALLBACK_LIBRARY_PATH",
#endif
  NULL,
};

char **
malt_platform_dup_environment (void)
{
  return g_get_environ ();
}

/* Numbers: the C library rounds correctly. */

double
malt_platform_parse_decimal (const char *digits, int exponent)
{
  char text[48];

  g_snprintf (text, sizeof text, "%se%d", digits, exponent);
  return g_ascii_strtod (text, NULL);
}

/* Files: size, time and inode */

char *
malt_platform_dup_directory (GError **error)
{
  char *path = getcwd (NULL, 0);
  char *copy = g_strdup (path);

  if (path == NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                 "the working directory cannot be told: %s", g_strerror (errno));
  free (path);
  return copy;
}

char *
malt_platform_dup_file_stamp (const char *path)
{
  GStatBuf status;

  if (g_stat (path, &status) != 0)
    return NULL;
  return g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT,
                          (gint64) status.st_size, (gint64) status.st_mtim.tv_sec,
                          (gint64) status.st_mtim.tv_nsec, (gint64) status.st_ino);
}

/* Memory, in huge pages where there are any */

gpointer
malt_platform_map_pages (gsize n_bytes)
{
  gpointer pages = mmap (NULL, n_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (pages == MAP_FAILED)
    return NULL;
#ifdef MADV_HUGEPAGE
  madvise (pages, n_bytes, MADV_HUGEPAGE);
#endif
  return pages;
}

void
malt_platform_unmap_pages (gpointer pages, gsize n_bytes)
{
  munmap (pages, n_bytes);
}

void
malt_platform_offer_pages (G_GNUC_UNUSED gpointer pages, G_GNUC_UNUSED gsize n_bytes)
{
#ifdef MADV_FREE
  madvise (pages, n_bytes, MADV_FREE);
#endif
}

/* Secrets */

gboolean
malt_platform_fill_secret (guint8 *bytes, gsize n_bytes, GError **error)
{
  if (getrandom (bytes, n_bytes, 0) == (ssize_t) n_bytes)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "no random bytes: %s",
               g_strerror (errno));
  return FALSE;
}

void
malt_platform_erase_secret (guint8 *bytes, gsize n_bytes)
{
  explicit_bzero (bytes, n_bytes);
}

/* Signals */

gboolean
malt_platform_has_signal (int signum)
{
  return signum >= 1 && signum < NSIG;
}

/* Forks: a mark that is not handed down. Linux (4.14) fills its page with zeros in a
 * process that is made with a copy of this memory, however it is made; elsewhere fork()
 * has a handler called, and only fork(). */

static const volatile guint8 *
    fork_mark; /* (unowned) (atomic): 0 in a process that was forked; NULL: forks are not watched */

static volatile guint8 plain_mark = TRUE;

static void
on_forked (void)
{
  plain_mark = FALSE;
}

static const volatile guint8 *
make_fork_mark (void)
{
#ifdef MADV_WIPEONFORK
  gsize n_bytes = (gsize) sysconf (_SC_PAGESIZE);
  guint8 *page =
      mmap (NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page != MAP_FAILED && madvise (page, n_bytes, MADV_WIPEONFORK) == 0)
    {
      *page = TRUE;
      return page;
    }
  if (page != MAP_FAILED)
    munmap (page, n_bytes);
#endif
  pthread_atfork (NULL, NULL, on_forked); /* without a page that is wiped */
  return &plain_mark;
}

/* What a forked process never finalizes. */

/* More than anybody takes, and room for forks of forks. */
#define REFS_IN_FORK 0x100000

static GMutex kept_lock; /* held while a process is forked */
static GQueue kept = G_QUEUE_INIT; /* its data: (unowned): counts of references */

static void
lock_kept (void)
{
  g_mutex_lock (&kept_lock);
}

static void
unlock_kept (void)
{
  g_mutex_unlock (&kept_lock);
}

/* In the child. Not g_object_ref(), which tells those who have a toggle reference. */
static void
keep_all (void)
{
  for (GList *link = kept.head; link != NULL; link = link->next)
    g_atomic_int_add ((volatile gint *) link->data, REFS_IN_FORK);
  unlock_kept ();
}

void
malt_platform_watch_forks (void)
{
  static gsize is_watching = 0;

  if (!g_once_init_enter (&is_watching))
    return;
  g_atomic_pointer_set (&fork_mark, make_fork_mark ());
  pthread_atfork (lock_kept, unlock_kept, keep_all);
  g_once_init_leave (&is_watching, 1);
}

void
malt_platform_keep_in_forks (GList *link, volatile guint *ref_count)
{
  if (malt_platform_is_forked (NULL))
    return;
  link->data = (gpointer) ref_count;
  lock_kept ();
  g_queue_push_tail_link (&kept, link);
  unlock_kept ();
}

void
malt_platform_forget_in_forks (GList *link)
{
  if (malt_platform_is_forked (NULL))
    return;
  lock_kept ();
  g_queue_unlink (&kept, link);
  unlock_kept ();
}

gboolean
malt_platform_is_forked (GError **error)
{
  const volatile guint8 *mark = g_atomic_pointer_get (&fork_mark);

  if (G_LIKELY (mark == NULL || *mark != 0))
    return FALSE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_FORKED,
                       "expected the process that uses workers, got one that was "
                       "forked from it");
  return TRUE;
}

/* Stacks */

gsize
malt_platform_get_stack_bytes (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_STACK, &limit) != 0)
    return 0;
  return MIN (limit.rlim_cur, (rlim_t) MAX_STACK_BYTES);
}

/* Threads */

guintptr
malt_platform_get_thread_number (void)
{
  return (guintptr) pthread_self ();
}

/* Descriptors */

static void
close_descriptor (gpointer fd)
{
  close (*(int *) fd);
}

/* Fills the holes among the standard streams, and so many numbers above them. (transfer
 * full): of int, which it closes */
static GArray *
hold_descriptors (guint n, GError **error)
{
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (int));

  g_array_set_clear_func (held, close_descriptor);
  while (n > 0)
    {
      int fd = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

      if (fd < 0)
        {
          malt_error_set_by_errno (error, MALT_ERROR_FAILED, "no descriptors are left");
          return NULL;
        }
      g_array_append_val (held, fd);
      n -= fd >= N_STREAMS;
    }
  return g_steal_pointer (&held);
}

gboolean
malt_platform_check_descriptors (guint n, GError **error)
{
  g_autoptr (GArray) held = hold_descriptors (n, error);

  return held != NULL;
}

/* Threads */

static gpointer
report_thread (gpointer gate)
{
  gintptr number = 0;

#ifdef __linux__
  number = syscall (SYS_gettid);
#endif
  g_mutex_lock (gate);
  g_mutex_unlock (gate);
  return (gpointer) number;
}

/* The system counts a thread until it is gone, which is a moment after it can be joined. */
static void
end_thread (GThread *thread)
{
  gintptr number G_GNUC_UNUSED = (gintptr) g_thread_join (thread);

#ifdef __linux__
  while (syscall (SYS_tgkill, getpid (), number, 0) == 0)
    sched_yield ();
#endif
}

gboolean
malt_platform_check_threads (guint n, GError **error)
{
  g_autoptr (GError) cause = NULL;
  GThread *threads[MAX_CHECKED_THREADS];
  guint n_made = 0;
  GMutex gate;

  g_assert (n <= MAX_CHECKED_THREADS);
  g_mutex_init (&gate);
  g_mutex_lock (&gate);
  while (n_made < n && (threads[n_made] = g_thread_try_new ("malt-check", report_thread,
                                                            &gate, &cause)) != NULL)
    n_made++;
  g_mutex_unlock (&gate);
  for (guint i = 0; i < n_made; i++)
    end_thread (threads[i]);
  g_mutex_clear (&gate);
  if (n_made < n)
    g_set_error (error, MALT_ERROR, MALT_ERROR_RESOURCES, "no threads are left: %s",
                 cause->message);
  return n_made == n;
}

/* What GLib makes when it is first needed, and ends the process if it cannot: the default
 * context, and with the type of tasks a context and two threads of its own. Once;
 * harmlessly several times. */
static void
prepare_glib (void)
{
  g_main_context_default ();
  g_type_ensure (G_TYPE_TASK);
}

/* GLib takes the lowest numbers that are free, so the holes below stay filled meanwhile. */
GMainContext *
malt_platform_new_context (GError **error)
{
  static gint is_glib_ready; /* atomic */
  g_autoptr (GArray) held = NULL;
  GMainContext *context;

  if (!g_atomic_int_get (&is_glib_ready) &&
      !malt_platform_check_threads (N_SPARE_THREADS, error))
    return NULL;
  held = hold_descriptors (N_SPARE, error);
  if (held == NULL)
    return NULL;
  g_array_set_size (held, held->len - N_SPARE);
  prepare_glib ();
  g_atomic_int_set (&is_glib_ready, TRUE);
  context = g_main_context_new ();
  g_main_context_set_poll_func (context, malt_poll_for_context);
  return context;
}

static gsize
get_stack_bytes (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return DEFAULT_STACK_BYTES;
  return MAX ((gsize) limit.rlim_cur, LEAST_STACK_BYTES);
}

gboolean
malt_platform_start_thread (GThreadFunc func, gpointer data, GError **error)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int code;

  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, get_stack_bytes ());
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  code = pthread_create (&thread, &attributes, func, data);
  pthread_attr_destroy (&attributes);
  if (code != 0)
    g_set_error (error, MALT_ERROR,
                 malt_error_code_of_errno (code, MALT_ERROR_LAUNCH_FAILED), "%s",
                 g_strerror (code));
  return code == 0;
}
