/* SPDX-License-Identifier: MIT */
/* What child processes have in common on all platforms. */
#include "platform/malt-child-private.h"

static MaltChildBase *
get_base (MaltChild *child)
{
  return (MaltChildBase *) child;
}

MaltChild *
malt_child_ref (MaltChild *child)
{
  g_atomic_ref_count_inc (&get_base (child)->ref_count);
  return child;
}

MaltPipe *
malt_child_get_stdout (MaltChild *child)
{
  return get_base (child)->output[0];
}

MaltPipe *
malt_child_get_stderr (MaltChild *child)
{
  return get_base (child)->output[1];
}

void
malt_child_close_output (MaltChild *child)
{
  g_clear_pointer (&get_base (child)->output[0], malt_pipe_free);
  g_clear_pointer (&get_base (child)->output[1], malt_pipe_free);
}
