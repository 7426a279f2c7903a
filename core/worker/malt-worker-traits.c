/* SPDX-License-Identifier: MIT */
/* Classes of workers, as selection sees them: their slots are checked, and what they say
 * of themselves is read. */
#include "worker/malt-worker-traits.h"

#include <malt/malt-error.h>
#include <malt/malt-worker-class.h>

typedef struct
{
  const char *name;
  gsize offset;
} RequiredField;

static const RequiredField required_fields[] = {
  { "name", G_STRUCT_OFFSET (MaltWorkerClass, name) },
  { "description", G_STRUCT_OFFSET (MaltWorkerClass, description) },
  { "options", G_STRUCT_OFFSET (MaltWorkerClass, options) },
  { "remote_call", G_STRUCT_OFFSET (MaltWorkerClass, remote_call) },
  { "remote_do", G_STRUCT_OFFSET (MaltWorkerClass, remote_do) },
  { "interrupt_async", G_STRUCT_OFFSET (MaltWorkerClass, interrupt_async) },
  { "interrupt_finish", G_STRUCT_OFFSET (MaltWorkerClass, interrupt_finish) },
  { "is_running", G_STRUCT_OFFSET (MaltWorkerClass, is_running) },
  { "stop_async", G_STRUCT_OFFSET (MaltWorkerClass, stop_async) },
  { "stop_finish", G_STRUCT_OFFSET (MaltWorkerClass, stop_finish) },
  { "kill", G_STRUCT_OFFSET (MaltWorkerClass, kill) },
};

/* Slots that come together: all or none, and the capability with them. */
static gboolean
check_channel_slots (const MaltWorkerClass *klass, GError **error)
{
  gboolean has_all = klass->channel_open != NULL && klass->channel_credit != NULL &&
                     klass->channel_put != NULL && klass->channel_close != NULL &&
                     klass->channel_state != NULL && klass->channel_forget != NULL;

  if (has_all || !(klass->capabilities & MALT_CAPABILITY_CHANNELS))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "backend '%s' claims channels and leaves a channel slot empty",
               klass->name);
  return FALSE;
}

static gboolean
check_host_function_slots (const MaltWorkerClass *klass, GError **error)
{
  gboolean has_all = klass->export_function != NULL && klass->unexport_function != NULL;

  if (has_all || !(klass->capabilities & MALT_CAPABILITY_HOST_FUNCTIONS))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "backend '%s' claims host functions and leaves a slot for them empty",
               klass->name);
  return FALSE;
}

/* is_julia_thread may be that of an inner worker. */
static gboolean
check_native_slots (const MaltWorkerClass *klass, GError **error)
{
  gboolean has_all = klass->native_new != NULL && klass->run_in_julia != NULL &&
                     klass->export_direct != NULL;

  if (has_all || !(klass->capabilities & MALT_CAPABILITY_NATIVE))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "backend '%s' claims native calls and leaves a slot for them empty",
               klass->name);
  return FALSE;
}

static gboolean
check_class (GType type, const MaltWorkerClass *klass, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (required_fields); i++)
    {
      if (G_STRUCT_MEMBER (gpointer, klass, required_fields[i].offset) == NULL)
        {
          g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                       "type '%s' is no backend: its class leaves '%s' empty",
                       g_type_name (type), required_fields[i].name);
          return FALSE;
        }
    }
  return check_channel_slots (klass, error) && check_host_function_slots (klass, error) &&
         check_native_slots (klass, error);
}

static gboolean
check_type (GType type, GError **error)
{
  if (g_type_is_a (type, MALT_TYPE_WORKER) && !G_TYPE_IS_ABSTRACT (type) &&
      g_type_is_a (type, G_TYPE_INITABLE) && g_type_is_a (type, G_TYPE_ASYNC_INITABLE))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "type '%s' is no backend: expected a concrete subclass of MaltWorker that "
               "implements GInitable and GAsyncInitable",
               type != 0 ? g_type_name (type) : "");
  return FALSE;
}

gboolean
malt_worker_class_describe (GType worker_type, MaltBackendTraits *out_traits,
                            GError **error)
{
  const MaltWorkerClass *klass;

  if (!check_type (worker_type, error))
    return FALSE;
  /* The reference is kept: names and options are the class's. */
  klass = g_type_class_ref (worker_type);
  if (!check_class (worker_type, klass, error))
    return FALSE;
  *out_traits = (MaltBackendTraits){
    .name = klass->name,
    .description = klass->description,
    .options = klass->options,
    .capabilities = klass->capabilities,
    .auto_priority = { [MALT_PLATFORM_LINUX] = klass->auto_priority,
                       [MALT_PLATFORM_MACOS] = klass->auto_priority,
                       [MALT_PLATFORM_WINDOWS] = klass->auto_priority_windows },
    .probe = klass->probe,
    .dup_julia = klass->dup_julia,
  };
  return TRUE;
}
