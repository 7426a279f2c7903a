/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors with a limit below their number. */
#include "malt-test.h"

#include "platform/unix/malt-poll.h"

#include <sys/resource.h>
#include <unistd.h>

enum
{
  LARGE_NUMBER = 200, /* of a descriptor: more than a word of bits */
  WAIT_US = 20000,
  LONG_WAIT_S = 60
};

static struct rlimit limit;
static int fds[2]; /* a pipe */

static void
lower_limit (rlim_t n)
{
  struct rlimit lowered = { n, limit.rlim_max };

  setrlimit (RLIMIT_NOFILE, &lowered);
}

static void
make_pipe (void)
{
  CU_ASSERT_EQUAL (getrlimit (RLIMIT_NOFILE, &limit) | pipe (fds), 0);
}

static void
close_pipe (void)
{
  close (fds[0]);
  close (fds[1]);
  setrlimit (RLIMIT_NOFILE, &limit);
}

static void
each_event_is_told_below_the_limit (void)
{
  int large = dup2 (fds[1], LARGE_NUMBER);

  for (rlim_t n = 0; n <= 3; n++)
    {
      struct pollfd polled[] = { { .fd = fds[0], .events = POLLIN },
                                 { .fd = large, .events = POLLOUT },
                                 { .fd = -1, .events = POLLIN } };
      const struct timespec timeout = { .tv_sec = LONG_WAIT_S };
      char byte = 'x';

      lower_limit (n);
      malt_assert_int (malt_poll (polled, 3, &timeout), 1);
      malt_assert_int (polled[0].revents, 0);
      malt_assert_int (polled[1].revents, POLLOUT);
      malt_assert_int (write (large, &byte, 1), 1);
      malt_assert_int (malt_poll (polled, 3, NULL), 2);
      malt_assert_int (polled[0].revents, POLLIN);
      malt_assert_int (polled[1].revents, POLLOUT);
      malt_assert_int (read (fds[0], &byte, 1), 1);
    }
  close (large);
}

static void
it_waits_as_long_as_it_is_told (void)
{
  for (rlim_t n = 0; n <= 2; n++)
    {
      GPollFD polled[] = { { .fd = fds[0], .events = G_IO_IN, .revents = G_IO_IN },
                           { .fd = fds[0], .events = G_IO_IN } };
      gint64 start_us = g_get_monotonic_time ();

      lower_limit (n);
      malt_assert_int (malt_poll_for_context (polled, 2, WAIT_US / 1000), 0);
      malt_assert (g_get_monotonic_time () - start_us >= WAIT_US);
      malt_assert_int (polled[0].revents, 0);
    }
}

static void
closed_descriptors_are_told (void)
{
  for (rlim_t n = 0; n <= 2; n++)
    {
      struct pollfd polled[] = { { .fd = fds[0], .events = POLLIN },
                                 { .fd = LARGE_NUMBER, .events = POLLIN } };

      lower_limit (n);
      malt_assert_int (malt_poll (polled, 2, NULL), 1);
      malt_assert_int (polled[0].revents, 0);
      malt_assert_int (polled[1].revents, POLLNVAL);
    }
}

static CU_TestInfo tests[] = {
  MALT_TEST (each_event_is_told_below_the_limit),
  MALT_TEST (it_waits_as_long_as_it_is_told),
  MALT_TEST (closed_descriptors_are_told),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { .pName = "poll",
      .pSetUpFunc = make_pipe,
      .pTearDownFunc = close_pipe,
      .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
