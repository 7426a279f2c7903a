/* SPDX-License-Identifier: MIT */
/* A library that another one needs. */

__declspec(dllexport) int asked_neighbour (void);

int
asked_neighbour (void)
{
  return 1;
}
