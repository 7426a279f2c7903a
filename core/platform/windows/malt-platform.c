/* SPDX-License-Identifier: MIT */
/* The small services of the platform, on Windows. */
#include "platform/malt-platform.h"

#include "base/malt-error-private.h"
#include "base/malt-signals.h"
#include "platform/windows/malt-handle.h"

#include <bcrypt.h>
#include <malt/malt-error.h>
#include <math.h>
#include <process.h>
#include <stdlib.h>
#include <string.h>

/* As much as Julia's own main thread has. */
#define STACK_BYTES (8u * 1024 * 1024)

MaltPlatform
malt_platform_get (void)
{
  return MALT_PLATFORM_WINDOWS;
}

/* The environment */

const char *const malt_platform_variables[] = {
  "SystemRoot",   "SystemDrive", "windir",       "ComSpec",
  "PATHEXT",      "TEMP",        "TMP",          "USERPROFILE",
  "USERNAME",     "HOMEDRIVE",   "HOMEPATH",     "APPDATA",
  "LOCALAPPDATA", "ProgramData", "ProgramFiles", "NUMBER_OF_PROCESSORS",
  "PROCESSOR_*",  NULL,
};

/* GLib's own list ends at the first that is no text. */
char **
malt_platform_dup_environment (void)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new ();
  wchar_t *block = GetEnvironmentStringsW ();

  for (const wchar_t *at = block; at != NULL && *at != 0; at += wcslen (at) + 1)
    {
      char *pair = g_utf16_to_utf8 ((const gunichar2 *) at, -1, NULL, NULL, NULL);

      if (pair != NULL)
        g_ptr_array_add (pairs, pair);
    }
  if (block != NULL)
    FreeEnvironmentStringsW (block);
  g_ptr_array_add (pairs, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&pairs), FALSE);
}

/* Numbers. Its C library, and the compiler's, are sometimes off by one in the last place.
 * So what they say is compared with the decimal number exactly: it must lie between the
 * points that are halfway to its neighbours. */

enum
{
  N_WORDS = 96, /* of 32 bits: more than any number of ours has */
  MANTISSA_BITS = 53,
  LEAST_EXPONENT = -1074
};

typedef struct
{
  guint32 words[N_WORDS]; /* the least first */
} Big;

static Big
big_new (guint64 number)
{
  Big big = { { (guint32) number, (guint32) (number >> 32) } };

  return big;
}

static void
big_multiply (Big *big, guint32 factor)
{
  guint64 carry = 0;

  for (int i = 0; i < N_WORDS; i++)
    {
      carry += (guint64) big->words[i] * factor;
      big->words[i] = (guint32) carry;
      carry >>= 32;
    }
}

static void
big_shift (Big *big, int n_bits)
{
  int n_words = n_bits / 32;

  memmove (big->words + n_words, big->words,
           (gsize) (N_WORDS - n_words) * sizeof (guint32));
  memset (big->words, 0, (gsize) n_words * sizeof (guint32));
  if (n_bits % 32 != 0)
    big_multiply (big, 1u << (n_bits % 32));
}

/* The sign of digits * 10^exponent - number * 2^power. */
static int
compare (guint64 digits, int exponent, guint64 number, int power)
{
  Big decimal = big_new (digits);
  Big binary = big_new (number);

  for (int i = 0; i < ABS (exponent); i++)
    big_multiply (exponent > 0 ? &decimal : &binary, 5);
  if (exponent > power)
    big_shift (&decimal, exponent - power);
  else
    big_shift (&binary, power - exponent);
  for (int i = N_WORDS - 1; i >= 0; i--)
    if (decimal.words[i] != binary.words[i])
      return decimal.words[i] > binary.words[i] ? 1 : -1;
  return 0;
}

/* 0: it is the nearest; else in which direction that lies. */
static int
find_direction (double number, guint64 digits, int exponent)
{
  int power;
  guint64 mantissa = (guint64) ldexp (frexp (number, &power), MANTISSA_BITS);
  gboolean is_first = mantissa == G_GUINT64_CONSTANT (1) << (MANTISSA_BITS - 1);
  int above;
  int below;

  power -= MANTISSA_BITS;
  if (power < LEAST_EXPONENT)
    {
      mantissa >>= LEAST_EXPONENT - power;
      power = LEAST_EXPONENT;
      is_first = FALSE;
    }
  above = compare (digits, exponent, 2 * mantissa + 1, power - 1);
  /* Below a power of two the gap is half as wide. */
  below = is_first && power > LEAST_EXPONENT
              ? compare (digits, exponent, 4 * mantissa - 1, power - 2)
              : compare (digits, exponent, 2 * mantissa - 1, power - 1);
  if (above > 0 || (above == 0 && mantissa % 2 == 1))
    return 1;
  return below < 0 || (below == 0 && mantissa % 2 == 1) ? -1 : 0;
}

double
malt_platform_parse_decimal (const char *digits, int exponent)
{
  guint64 whole = g_ascii_strtoull (digits, NULL, 10);
  char text[48];
  double number;
  int direction;

  g_snprintf (text, sizeof text, "%se%d", digits, exponent);
  number = strtod (text, NULL);
  while (number > 0 && number <= G_MAXDOUBLE &&
         (direction = find_direction (number, whole, exponent)) != 0)
    number = nextafter (number, direction > 0 ? G_MAXDOUBLE : 0);
  return number;
}

/* Files: size, time and number */

/* No process's is deleted. */
char *
malt_platform_dup_directory (G_GNUC_UNUSED GError **error)
{
  return g_get_current_dir ();
}

char *
malt_platform_dup_file_stamp (const char *path)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  BY_HANDLE_FILE_INFORMATION file;
  gboolean is_known;
  HANDLE handle =
      CreateFileW (wide_path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                   NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

  if (handle == INVALID_HANDLE_VALUE)
    return NULL;
  is_known = GetFileInformationByHandle (handle, &file);
  CloseHandle (handle);
  if (!is_known)
    return NULL;
  return g_strdup_printf ("%lu:%lu %lu:%lu %lu:%lu", file.nFileSizeHigh,
                          file.nFileSizeLow, file.ftLastWriteTime.dwHighDateTime,
                          file.ftLastWriteTime.dwLowDateTime, file.nFileIndexHigh,
                          file.nFileIndexLow);
}

/* Memory */

gpointer
malt_platform_map_pages (gsize n_bytes)
{
  return VirtualAlloc (NULL, n_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void
malt_platform_unmap_pages (gpointer pages, G_GNUC_UNUSED gsize n_bytes)
{
  VirtualFree (pages, 0, MEM_RELEASE);
}

void
malt_platform_offer_pages (gpointer pages, gsize n_bytes)
{
  VirtualAlloc (pages, n_bytes, MEM_RESET, PAGE_READWRITE);
}

/* Secrets */

gboolean
malt_platform_fill_secret (guint8 *bytes, gsize n_bytes, GError **error)
{
  NTSTATUS status =
      BCryptGenRandom (NULL, bytes, (ULONG) n_bytes, BCRYPT_USE_SYSTEM_PREFERRED_RNG);

  if (status >= 0)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "no random bytes: 0x%08lx",
               (unsigned long) status);
  return FALSE;
}

void
malt_platform_erase_secret (guint8 *bytes, gsize n_bytes)
{
  SecureZeroMemory (bytes, n_bytes);
}

/* Signals */

gboolean
malt_platform_has_signal (int signum)
{
  return signum == SIGINT || signum == SIGTERM || signum == SIGKILL;
}

/* Forks: there are none. */

void
malt_platform_watch_forks (void)
{
}

void
malt_platform_keep_in_forks (G_GNUC_UNUSED GList *link,
                             G_GNUC_UNUSED volatile guint *ref_count)
{
}

void
malt_platform_forget_in_forks (G_GNUC_UNUSED GList *link)
{
}

gboolean
malt_platform_is_forked (G_GNUC_UNUSED GError **error)
{
  return FALSE;
}

/* Stacks */

gsize
malt_platform_get_stack_bytes (void)
{
  return 0;
}

/* Threads */

guintptr
malt_platform_get_thread_number (void)
{
  return (guintptr) GetCurrentThreadId ();
}

/* Handles are not numbered from 0, and are as many as there is memory. */
gboolean
malt_platform_check_descriptors (G_GNUC_UNUSED guint n, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

gboolean
malt_platform_check_threads (G_GNUC_UNUSED guint n, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

GMainContext *
malt_platform_new_context (G_GNUC_UNUSED GError **error)
{
  return g_main_context_new ();
}

typedef struct
{
  GThreadFunc func;
  gpointer data;
} Start;

static unsigned __stdcall run (void *data)
{
  Start start = *(Start *) data;

  g_free (data);
  start.func (start.data);
  return 0;
}

gboolean
malt_platform_start_thread (GThreadFunc func, gpointer data, GError **error)
{
  Start *start = g_new (Start, 1);
  HANDLE thread;

  start->func = func;
  start->data = data;
  thread = (HANDLE) _beginthreadex (NULL, STACK_BYTES, run, start,
                                    STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (thread == MALT_NO_HANDLE)
    {
      g_set_error_literal (error, MALT_ERROR,
                           malt_error_code_of_errno (errno, MALT_ERROR_LAUNCH_FAILED),
                           g_strerror (errno));
      g_free (start);
      return FALSE;
    }
  CloseHandle (thread);
  return TRUE;
}
