/* SPDX-License-Identifier: MIT */
/* The small services of the platform, on Unix. */
#include "platform/malt-platform.h"

#include "base/malt-signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <malt/malt-error.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum
{
  N_STREAMS = STDERR_FILENO + 1
};

#define DEFAULT_STACK_BYTES ((gsize) 8 * 1024 * 1024)
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

/* Threads */

guintptr
malt_platform_get_thread_number (void)
{
  return (guintptr) pthread_self ();
}

/* GLib takes the lowest number that is free, so the holes below are filled meanwhile. Who makes a context its thread's own has GLib make the
 * default one, too. */
GMainContext *
malt_platform_new_context (void)
{
  GMainContext *context;
  int held[N_STREAMS];
  guint n_held = 0;
  int fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  while (fd >= 0 && fd < N_STREAMS)
    {
      held[n_held++] = fd;
      fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
    }
  if (fd >= 0)
    close (fd);
  g_main_context_default ();
  context = g_main_context_new ();
  while (n_held > 0)
    close (held[--n_held]);
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
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "%s", g_strerror (code));
  return code == 0;
}
