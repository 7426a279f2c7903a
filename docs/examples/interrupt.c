/* SPDX-License-Identifier: MIT */
/* Interrupts a call that would never end; the worker goes on with another one. */
#include <malt/malt.h>

static const char *
name_of (MaltInterruptResult result)
{
  switch (result)
    {
    case MALT_INTERRUPT_DELIVERED:
      return "delivered";
    case MALT_INTERRUPT_IDLE:
      return "nothing was running";
    case MALT_INTERRUPT_GONE:
      return "the call had ended already";
    case MALT_INTERRUPT_UNDELIVERABLE:
      return "the call cannot be reached";
    }
  return "unknown";
}

/* Waits half a second for the future, then interrupts its call. */
static gboolean
interrupt_after_a_while (MaltFuture *future, GError **error)
{
  g_autoptr (GError) interrupt_error = NULL;
  MaltInterruptResult result;

  if (malt_future_wait (future, 500, NULL, NULL))
    return TRUE;
  result = malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &interrupt_error);
  if (interrupt_error)
    {
      g_propagate_error (error, g_steal_pointer (&interrupt_error));
      return FALSE;
    }
  g_print ("interrupt: %s\n", name_of (result));
  return TRUE;
}

static gboolean
run (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (
      worker, NULL, "global n = 0; while true; global n += 1; end");
  g_autoptr (MaltValue) nothing = NULL;
  g_autoptr (MaltValue) has_run = NULL;
  g_autoptr (GError) exception = NULL;

  if (!interrupt_after_a_while (future, error))
    return FALSE;
  nothing = malt_future_fetch (future, NULL, &exception);
  if (nothing)
    g_print ("the call returned\n");
  else
    g_print ("the call threw: %s\n", malt_error_get_exception_type (exception));

  has_run = malt_worker_remote_eval_fetch (worker, NULL, "n > 0", NULL, error);
  if (!has_run)
    return FALSE;
  g_print ("it had run: %s\n", malt_value_get_bool (has_run) ? "yes" : "no");
  return TRUE;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltWorker) worker =
      config ? malt_worker_launch (config, NULL, &error) : NULL;

  if (!worker || !run (worker, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  malt_worker_stop (worker, NULL, NULL);
  return 0;
}
