/* SPDX-License-Identifier: MIT */
/* MaltChannel: a Julia channel, seen from the host. Documentation stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-types.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

#define MALT_TYPE_CHANNEL (malt_channel_get_type ())

MALT_EXPORT
G_DECLARE_FINAL_TYPE (MaltChannel, malt_channel, MALT, CHANNEL, GObject)

MALT_EXPORT
MaltValue *malt_channel_take (MaltChannel *channel, GCancellable *cancellable,
                              GError **error);
MALT_EXPORT
void malt_channel_take_async (MaltChannel *channel, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltValue *malt_channel_take_finish (MaltChannel *channel, GAsyncResult *result,
                                     GError **error);
MALT_EXPORT
gboolean malt_channel_put (MaltChannel *channel, MaltValue *value,
                           GCancellable *cancellable, GError **error);
MALT_EXPORT
void malt_channel_put_async (MaltChannel *channel, MaltValue *value,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
MALT_EXPORT
gboolean malt_channel_put_finish (MaltChannel *channel, GAsyncResult *result,
                                  GError **error);
MALT_EXPORT
gboolean malt_channel_is_ready (MaltChannel *channel, GCancellable *cancellable,
                                GError **error);
MALT_EXPORT
gboolean malt_channel_is_open (MaltChannel *channel, GCancellable *cancellable,
                               GError **error);
MALT_EXPORT
gboolean malt_channel_wait (MaltChannel *channel, GCancellable *cancellable,
                            GError **error);
MALT_EXPORT
void malt_channel_wait_async (MaltChannel *channel, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
gboolean malt_channel_wait_finish (MaltChannel *channel, GAsyncResult *result,
                                   GError **error);
MALT_EXPORT
gboolean malt_channel_close (MaltChannel *channel, GCancellable *cancellable,
                             GError **error);
MALT_EXPORT
void malt_channel_close_async (MaltChannel *channel, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
gboolean malt_channel_close_finish (MaltChannel *channel, GAsyncResult *result,
                                    GError **error);

G_END_DECLS
