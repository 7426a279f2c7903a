/* SPDX-License-Identifier: MIT */
/* Pipes on Unix. A pipe has a name where there is /proc: that of the descriptor at which
 * it is written. */
#include "platform/malt-pipe.h"

#include "platform/unix/malt-descriptor.h"
#include "platform/unix/malt-poll.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <unistd.h>

enum
{
  MAX_LOOKED_AT = 8 /* pipes at a time */
};

struct _MaltPipe
{
  int fd; /* (owned): does not block */
  int named_fd; /* (owned): the end that is written to; -1: it has no name */
};

MaltPipe *
malt_pipe_new (gintptr *out_writer, GError **error)
{
  MaltPipe *pipe;
  int fds[2];

  if (!malt_descriptor_open_pipe (fds, error))
    return NULL;
  if (!g_unix_set_fd_nonblocking (fds[0], TRUE, error))
    {
      close (fds[0]);
      close (fds[1]);
      return NULL;
    }
  pipe = g_new (MaltPipe, 1);
  pipe->fd = fds[0];
  pipe->named_fd = -1;
  *out_writer = fds[1];
  return pipe;
}

void
malt_pipe_free (MaltPipe *pipe)
{
  malt_pipe_forget_name (pipe);
  close (pipe->fd);
  g_free (pipe);
}

MaltPipe *
malt_pipe_new_named (G_GNUC_UNUSED GError **error)
{
  MaltPipe *pipe = NULL;
#ifdef __linux__
  gintptr writer;

  pipe = malt_pipe_new (&writer, error);
  if (pipe != NULL)
    pipe->named_fd = (int) writer;
#endif
  return pipe;
}

char *
malt_pipe_dup_name (MaltPipe *pipe)
{
  return g_strdup_printf ("/proc/%d/fd/%d", (int) getpid (), pipe->named_fd);
}

void
malt_pipe_forget_name (MaltPipe *pipe)
{
  if (pipe->named_fd >= 0)
    close (pipe->named_fd);
  pipe->named_fd = -1;
}

gssize
malt_pipe_read (MaltPipe *pipe, gpointer data, gsize n_bytes)
{
  ssize_t n = read (pipe->fd, data, n_bytes);

  if (n >= 0)
    return n;
  return errno == EAGAIN || errno == EINTR ? MALT_PIPE_EMPTY : 0;
}

gboolean
malt_pipe_look (MaltPipe *const *pipes, guint n_pipes, gboolean *out_is_ready)
{
  struct pollfd fds[MAX_LOOKED_AT];
  gboolean is_any;

  g_assert (n_pipes <= MAX_LOOKED_AT);
  for (guint i = 0; i < n_pipes; i++)
    fds[i] =
        (struct pollfd){ .fd = pipes[i] != NULL ? pipes[i]->fd : -1, .events = POLLIN };
  is_any = malt_poll (fds, n_pipes, &(const struct timespec){ 0 }) > 0;
  for (guint i = 0; i < n_pipes; i++)
    out_is_ready[i] = is_any && fds[i].revents != 0;
  return is_any;
}

static gboolean
dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

GSource *
malt_pipe_source_new (MaltPipe *pipe)
{
  GSource *source = g_source_new (&source_funcs, sizeof (GSource));

  g_source_set_static_name (source, "malt: output");
  g_source_add_unix_fd (source, pipe->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  return source;
}
