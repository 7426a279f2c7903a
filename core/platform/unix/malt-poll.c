/* SPDX-License-Identifier: MIT */
/* poll() refuses more descriptors than RLIMIT_NOFILE with EINVAL, at once and each time, so
 * that a thread which waits in a loop would spin. select() has no such limit, takes sets of
 * any size from the kernel, and needs no descriptor of its own. */
#include "platform/unix/malt-poll.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/select.h>

#define BITS_PER_WORD (8 * (int) sizeof (gulong))

G_STATIC_ASSERT (sizeof (GPollFD) == sizeof (struct pollfd) &&
                 G_STRUCT_OFFSET (GPollFD, fd) == G_STRUCT_OFFSET (struct pollfd, fd) &&
                 G_STRUCT_OFFSET (GPollFD, events) ==
                     G_STRUCT_OFFSET (struct pollfd, events) &&
                 G_STRUCT_OFFSET (GPollFD, revents) ==
                     G_STRUCT_OFFSET (struct pollfd, revents));

/* The events for which select() has a set each. */
static const short set_events[] = { POLLIN, POLLOUT, POLLPRI };

enum
{
  N_SETS = G_N_ELEMENTS (set_events)
};

/* One descriptor for each bit, the sets behind one another. */
typedef struct
{
  gulong *words; /* (owned) */
  int n_words; /* of a set */
} Sets;

static gulong *
find_word (const Sets *sets, int set, int fd)
{
  return &sets->words[set * sets->n_words + fd / BITS_PER_WORD];
}

static gulong
bit_of (int fd)
{
  return 1ul << fd % BITS_PER_WORD;
}

static Sets
sets_new (const struct pollfd *fds, nfds_t n_fds)
{
  Sets sets = { NULL, 1 };

  for (nfds_t i = 0; i < n_fds; i++)
    sets.n_words = MAX (sets.n_words, fds[i].fd / BITS_PER_WORD + 1);
  sets.words = g_new0 (gulong, (gsize) sets.n_words * N_SETS);
  for (nfds_t i = 0; i < n_fds; i++)
    for (int set = 0; fds[i].fd >= 0 && set < N_SETS; set++)
      if (fds[i].events & set_events[set])
        *find_word (&sets, set, fds[i].fd) |= bit_of (fds[i].fd);
  return sets;
}

static int
read_sets (const Sets *sets, struct pollfd *fds, nfds_t n_fds)
{
  int n_ready = 0;

  for (nfds_t i = 0; i < n_fds; i++)
    {
      for (int set = 0; fds[i].fd >= 0 && set < N_SETS; set++)
        if (*find_word (sets, set, fds[i].fd) & bit_of (fds[i].fd))
          fds[i].revents |= set_events[set];
      n_ready += fds[i].revents != 0;
    }
  return n_ready;
}

/* One that is closed fails the whole of select(). */
static int
find_closed (struct pollfd *fds, nfds_t n_fds)
{
  int n_closed = 0;

  for (nfds_t i = 0; i < n_fds; i++)
    if (fds[i].fd >= 0 && fcntl (fds[i].fd, F_GETFD) < 0)
      {
        fds[i].revents = POLLNVAL;
        n_closed++;
      }
  return n_closed;
}

static int
poll_by_select (struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout)
{
  Sets sets = sets_new (fds, n_fds);
  int n_ready = pselect (sets.n_words * BITS_PER_WORD, (fd_set *) find_word (&sets, 0, 0),
                         (fd_set *) find_word (&sets, 1, 0),
                         (fd_set *) find_word (&sets, 2, 0), timeout, NULL);
  int code = errno;

  for (nfds_t i = 0; i < n_fds; i++)
    fds[i].revents = 0;
  if (n_ready > 0)
    n_ready = read_sets (&sets, fds, n_fds);
  else if (n_ready < 0 && code == EBADF)
    n_ready = find_closed (fds, n_fds);
  g_free (sets.words);
  errno = code;
  return n_ready;
}

int
malt_poll (struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout)
{
  int n_ready = ppoll (fds, n_fds, timeout, NULL);

  if (n_ready < 0 && errno == EINVAL)
    return poll_by_select (fds, n_fds, timeout);
  return n_ready;
}

gint
malt_poll_for_context (GPollFD *fds, guint n_fds, gint timeout_ms)
{
  struct timespec timeout = { .tv_sec = timeout_ms / 1000,
                              .tv_nsec = timeout_ms % 1000 * 1000000 };

  return malt_poll ((struct pollfd *) fds, n_fds, timeout_ms >= 0 ? &timeout : NULL);
}
