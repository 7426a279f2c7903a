/* SPDX-License-Identifier: MIT */
/* In the place of libjulia: does what that of Julia 1.9 to 1.13 does while it is loaded,
 * and ends the program if it cannot. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__ ((constructor)) static void
probe (void)
{
  int status;
  pid_t child = fork ();

  if (child == 0)
    _exit (0);
  if (child < 0 || waitpid (child, &status, 0) != child)
    exit (EXIT_FAILURE);
}
