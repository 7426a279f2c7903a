/* SPDX-License-Identifier: MIT */
/* What depends on the platform and is a constant or a single function. Outside of this
 * folder nothing asks for the platform by itself. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#ifdef G_OS_WIN32
#define MALT_PLATFORM_PICK(on_unix, on_windows) on_windows
#else
#define MALT_PLATFORM_PICK(on_unix, on_windows) on_unix
#endif

/* The platforms between which something differs that is no constant; other Unixes count
 * as Linux. */
typedef enum
{
  MALT_PLATFORM_LINUX,
  MALT_PLATFORM_MACOS,
  MALT_PLATFORM_WINDOWS,
  MALT_N_PLATFORMS,
} MaltPlatform;

/* The one that this library was built for. */
MaltPlatform malt_platform_get (void);

/* The end of the name of a program's file. */
#define MALT_PLATFORM_PROGRAM_SUFFIX MALT_PLATFORM_PICK ("", ".exe")

/* Names of variables that programs of this system need, besides those that all need; NULL
 * ends them, and `*` stands for any end. */
extern const char *const malt_platform_variables[];

/* The variables of this process that are text, as g_get_environ() has them. (transfer full) */
char **malt_platform_dup_environment (void);

/* The Float64 that is nearest to DIGITS times ten to the @exponent; of two that are, the
 * even one. @digits: 1 to 17. */
double malt_platform_parse_decimal (const char *digits, int exponent);

/* The working directory of this process. Errors: LAUNCH_FAILED: it has been deleted.
 * (transfer full) */
char *malt_platform_dup_directory (GError **error);

/* A line that changes when the file is written to or replaced; NULL: there is none.
 * (transfer full) */
char *malt_platform_dup_file_stamp (const char *path);

/* Memory by the page, straight from the system: it is zero, and costs nothing before it
 * is touched. NULL: there is not that much. */
gpointer malt_platform_map_pages (gsize n_bytes);
void malt_platform_unmap_pages (gpointer pages, gsize n_bytes);
/* The system may take what is in them, and the memory, until they are written to again. */
void malt_platform_offer_pages (gpointer pages, gsize n_bytes);

/* Bytes that nobody can guess. Errors: LAUNCH_FAILED. */
gboolean malt_platform_fill_secret (guint8 *bytes, gsize n_bytes, GError **error);
/* Overwrites them, also where nobody reads them afterwards. */
void malt_platform_erase_secret (guint8 *bytes, gsize n_bytes);

/* Can it be sent to a process at all? @signum: from 1 to NSIG - 1. */
gboolean malt_platform_has_signal (int signum);

/* From now on processes that this one forks can be told apart. To be called before
 * anything is made that they would share with it. */
void malt_platform_watch_forks (void);
/* TRUE, with an error, in such a process: whatever is shared with the host must be left
 * alone, and no lock be taken, since who held it is not there. It costs no system call.
 * Errors: FORKED. */
gboolean malt_platform_is_forked (GError **error);

/* Links @link, which is the caller's, so that nobody in a forked process lets go of the last
 * reference to the object whose @ref_count is given: GObject has locks of its own for that,
 * and who held one is not there. Works once forks are watched; raw clone() evades it. */
void malt_platform_keep_in_forks (GList *link, volatile guint *ref_count);
/* To be called as the object is finalized; in a forked process it does nothing. */
void malt_platform_forget_in_forks (GList *link);

/* How large the stack of a program's first thread may become; 0: not known. */
gsize malt_platform_get_stack_bytes (void);

/* A number of the running thread; no other thread that runs has it. */
guintptr malt_platform_get_thread_number (void);

/* Are so many descriptors left? What follows may find fewer. Errors: RESOURCES. */
gboolean malt_platform_check_descriptors (guint n, GError **error);

/* Can so many threads be made, at most 16? Errors: RESOURCES. */
gboolean malt_platform_check_threads (guint n, GError **error);

/* A main context whose own descriptors are none of the standard streams, also where these
 * are closed. GLib aborts where it gets none, or no threads of its own, so some are tried
 * before. Errors: RESOURCES. (transfer full) */
GMainContext *malt_platform_new_context (GError **error);

/* Starts a thread that nobody waits for, with a stack as large as that of the main
 * thread. Errors: RESOURCES, LAUNCH_FAILED. */
gboolean malt_platform_start_thread (GThreadFunc func, gpointer data, GError **error);

G_END_DECLS
