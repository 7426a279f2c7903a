/* SPDX-License-Identifier: MIT */
/* A second user, for tests of trust: a process that has given up root's rights. */
#pragma once

#include <glib.h>
#include <sys/wait.h>
#include <unistd.h>

/* An id that owns nothing. No account need have it. */
#define TRUST_OTHER_USER 65534

/* Runs a function in a process of that user; what it returns. Needs root. */
static inline gboolean
trust_run_as (uid_t user, gboolean (*func) (const char *path), const char *path)
{
  pid_t pid = fork ();
  int status = 0;

  if (pid == 0)
    _exit (setgid (user) == 0 && setuid (user) == 0 && func (path) ? 0 : 1);
  return pid > 0 && waitpid (pid, &status, 0) == pid && WIFEXITED (status) &&
         WEXITSTATUS (status) == 0;
}
