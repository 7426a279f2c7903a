/* SPDX-License-Identifier: MIT */
/* Reads what a task on the worker puts into a channel, until the channel is closed. */
#include <malt/malt.h>

/* The task ends the channel when it is done with it. */
static const char source[] = "Channel{Any}(4) do channel\n"
                             "    for i in 1:3\n"
                             "        put!(channel, i => i^2)\n"
                             "    end\n"
                             "end";

static gboolean
print_items (MaltChannel *channel, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) take_error = NULL;
      g_autoptr (MaltValue) item = malt_channel_take (channel, NULL, &take_error);
      g_autofree char *text = item ? malt_value_to_string (item) : NULL;

      if (item)
        {
          g_print ("%s\n", text);
          continue;
        }
      if (g_error_matches (take_error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&take_error));
      return FALSE;
    }
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltWorker) worker =
      config ? malt_worker_launch (config, NULL, &error) : NULL;
  g_autoptr (MaltChannel) channel = NULL;

  if (worker)
    channel = malt_worker_channel (worker, NULL, source, NULL, &error);
  if (!channel || !print_items (channel, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_print ("closed\n");
  malt_worker_stop (worker, NULL, NULL);
  return 0;
}
