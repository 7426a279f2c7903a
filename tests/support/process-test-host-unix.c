/* SPDX-License-Identifier: MIT */
/* What the tests of worker processes ask the system for, on Unix. */
#include "process-test-host.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

guint
process_test_count_descriptors (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (directory != NULL && g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

gboolean
process_test_is_alive (gint64 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/stat", pid);
  g_autofree char *text = NULL;
  const char *state;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  state = strrchr (text, ')');
  return state != NULL && state[2] != 'Z' && state[2] != 'X';
}

gpointer
process_test_map_unreadable (gsize n_bytes)
{
  return mmap (NULL, n_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void
process_test_unmap (gpointer memory, gsize n_bytes)
{
  munmap (memory, n_bytes);
}

void
process_test_become_opaque (void)
{
#ifdef __linux__
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct none[2] = { { 0 } };

  prctl (PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0);
  syscall (SYS_capset, &header, none);
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

struct _ProcessTestCapture
{
  int saved_fd; /* (owned) */
  int reader_fd; /* (owned) */
};

ProcessTestCapture *
process_test_capture (void)
{
  ProcessTestCapture *capture;
  int fds[2];

  if (pipe (fds) < 0)
    return NULL;
  capture = g_new (ProcessTestCapture, 1);
  capture->saved_fd = dup (STDOUT_FILENO);
  capture->reader_fd = fds[0];
  dup2 (fds[1], STDOUT_FILENO);
  close (fds[1]);
  return capture;
}

/* FALSE: the end. */
static gboolean
read_some (ProcessTestCapture *capture, GString *text)
{
  char bytes[256];
  ssize_t n = read (capture->reader_fd, bytes, sizeof bytes);

  if (n > 0)
    g_string_append_len (text, bytes, n);
  return n > 0;
}

char *
process_test_release (ProcessTestCapture *capture, gsize n_bytes)
{
  GString *text = g_string_new (NULL);

  while (text->len < n_bytes && read_some (capture, text))
    continue;
  dup2 (capture->saved_fd, STDOUT_FILENO);
  close (capture->saved_fd);
  while (read_some (capture, text))
    continue;
  close (capture->reader_fd);
  g_free (capture);
  return g_string_free (text, FALSE);
}
