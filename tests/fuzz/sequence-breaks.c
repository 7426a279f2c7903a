/* SPDX-License-Identifier: MIT */
/* Faults that the fuzzer must find: this program's linker puts these functions before
 * those of the library (--wrap, CMakeLists.txt). */
#include "sequence.h"

#include "link/malt-link-memory.h"
#include "platform/malt-socket.h"

#include <string.h>

enum
{
  ONE_IN = 50
};

static const char *const breaks[] = { "short-body", "answer-lost", "item-kept",
                                      "descriptor-kept", NULL };
static const char *chosen;
static gint n_met;

gboolean
sequence_break (const char *name)
{
  for (gsize i = 0; breaks[i] != NULL; i++)
    if (strcmp (breaks[i], name) == 0)
      chosen = breaks[i];
  return chosen != NULL;
}

static gboolean
is_met (const char *name)
{
  return g_strcmp0 (chosen, name) == 0 &&
         g_atomic_int_add (&n_met, 1) % ONE_IN == ONE_IN - 1;
}

GBytes *__real_malt_link_memory_new (gsize n_bytes, guint8 **out_data);
GBytes *__wrap_malt_link_memory_new (gsize n_bytes, guint8 **out_data);

/* Has room for less than it says. */
GBytes *
__wrap_malt_link_memory_new (gsize n_bytes, guint8 **out_data)
{
  if (!is_met ("short-body"))
    return __real_malt_link_memory_new (n_bytes, out_data);
  *out_data = g_malloc (n_bytes - 1);
  return g_bytes_new_take (*out_data, n_bytes);
}

gboolean __real_malt_worker_complete_call (MaltWorker *worker, guint32 call_id,
                                           MaltValue *value, GError *error);
gboolean __wrap_malt_worker_complete_call (MaltWorker *worker, guint32 call_id,
                                           MaltValue *value, GError *error);

gboolean
__wrap_malt_worker_complete_call (MaltWorker *worker, guint32 call_id, MaltValue *value,
                                  GError *error)
{
  if (!is_met ("answer-lost"))
    return __real_malt_worker_complete_call (worker, call_id, value, error);
  g_clear_pointer (&value, malt_value_unref);
  g_clear_error (&error);
  return TRUE;
}

gboolean __real_malt_channel_push (MaltChannel *channel, MaltValue *value);
gboolean __wrap_malt_channel_push (MaltChannel *channel, MaltValue *value);

gboolean
__wrap_malt_channel_push (MaltChannel *channel, MaltValue *value)
{
  if (is_met ("item-kept"))
    malt_value_ref (value);
  return __real_malt_channel_push (channel, value);
}

void __real_malt_socket_close (int fd);
void __wrap_malt_socket_close (int fd);

void
__wrap_malt_socket_close (int fd)
{
  if (!is_met ("descriptor-kept"))
    __real_malt_socket_close (fd);
}
