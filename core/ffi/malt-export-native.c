/* SPDX-License-Identifier: MIT */
/* Host functions that are C functions with a signature: a MaltHostFunc that fits the
 * arguments and calls through libffi. */
#include "ffi/malt-export-native.h"
#include "ffi/malt-export-private.h"

/* user_data and GError **, behind the arguments of the signature. */
#define N_TRAILING 2

gpointer
malt_export_native_new (const char *name, const char *signature_text, GCallback function,
                        gpointer user_data, GDestroyNotify destroy, GError **error)
{
  MaltSignature *signature = malt_signature_parse (signature_text, N_TRAILING, error);
  MaltExportNative *native;

  if (signature == NULL)
    return NULL;
  native = g_new (MaltExportNative, 1);
  native->name = g_strdup (name);
  native->signature = signature;
  native->function = function;
  native->user_data = user_data;
  native->destroy = destroy;
  return native;
}

void
malt_export_native_free (gpointer data)
{
  MaltExportNative *native = data;

  if (native->destroy != NULL)
    native->destroy (native->user_data);
  malt_signature_unref (native->signature);
  g_free (native->name);
  g_free (native);
}

static gboolean
set_arguments (MaltExportNative *native, MaltCSlot *slots, void **pointers,
               MaltValue **arguments, gsize n_arguments, GError **error)
{
  MaltSignature *signature = native->signature;

  if (n_arguments != signature->n_arguments)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_VALUE,
                   "%s: expected %u argument%s, got %" G_GSIZE_FORMAT, native->name,
                   signature->n_arguments, signature->n_arguments == 1 ? "" : "s",
                   n_arguments);
      return FALSE;
    }
  for (gsize i = 0; i < n_arguments; i++)
    {
      pointers[i] = &slots[i];
      if (!malt_c_slot_set_argument (&slots[i], signature->arguments[i], arguments[i],
                                     error))
        {
          g_prefix_error (error, "%s: argument %" G_GSIZE_FORMAT ": ", native->name,
                          i + 1);
          return FALSE;
        }
    }
  return TRUE;
}

MaltValue *
malt_export_call_native (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments,
                         gsize n_arguments, gpointer data, GError **error)
{
  MaltExportNative *native = data;
  MaltSignature *signature = native->signature;
  MaltCSlot slots[MALT_SIGNATURE_MAX_ARGUMENTS];
  void *pointers[MALT_SIGNATURE_MAX_ARGUMENTS + N_TRAILING];
  MaltCSlot result = { .u64 = 0 };
  GError *function_error = NULL;
  GError **error_location = &function_error;

  if (!set_arguments (native, slots, pointers, arguments, n_arguments, error))
    return NULL;
  pointers[n_arguments] = &native->user_data;
  pointers[n_arguments + 1] = &error_location;
  ffi_call (&signature->cif, FFI_FN (native->function), &result, pointers);
  if (function_error == NULL)
    return malt_c_slot_take_result (&result, signature->result);
  malt_c_slot_clear_result (&result, signature->result);
  g_propagate_error (error, function_error);
  return NULL;
}
