/* SPDX-License-Identifier: MIT */
/* Counts of operations, interrupts and faults, and the line that is printed at the end.
 *
 * The program's own words go to copies of its streams. The streams themselves are for
 * what workers print, which is forwarded to nobody. */
#include "soak.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_LIMIT_KIB ((gint64) 8 * 1024)

enum
{
  N_RESULTS = MALT_INTERRUPT_UNDELIVERABLE + 1,
  N_REQUIRED = 20, /* of each operation, in so many seconds */
  REQUIRED_S = 60,
  MAX_TOLD = 40 /* faults of a kind that are told; all are counted */
};

typedef struct
{
  guint n_results[N_RESULTS];
  GArray *took_us; /* (owned): of gint64 */
} Interrupts;

static gint64 begin_us;
static FILE *report; /* (owned): the standard output that the program was given */
static FILE *notes; /* (owned): its standard error */

static GMutex lock; /* guards all of these */
static GHashTable *operations; /* (owned) (nullable): name to number */
static GHashTable *interrupts; /* (owned) (nullable): kind to Interrupts */
static guint n_faults[SOAK_N_FAULTS];
static guint n_launches;

static const char *const fault_names[SOAK_N_FAULTS] = {
  [SOAK_DEAD] = "dead",
  [SOAK_LOST] = "lost",
  [SOAK_MISDIRECTED] = "misdirected",
  [SOAK_UNANSWERED] = "unanswered",
  [SOAK_TWICE] = "twice",
  [SOAK_WRONG] = "wrong",
  [SOAK_UNTRUE] = "untrue",
  [SOAK_UNDELIVERED] = "undelivered",
  [SOAK_CRITICAL] = "critical",
  [SOAK_HUNG] = "hung",
};

gboolean
soak_streams_open (void)
{
  int nowhere = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  begin_us = g_get_monotonic_time ();
  report = fdopen (fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
  notes = fdopen (fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 3), "w");
  return report != NULL && notes != NULL && dup2 (nowhere, STDOUT_FILENO) >= 0 &&
         dup2 (nowhere, STDERR_FILENO) >= 0 && close (nowhere) == 0;
}

void
soak_note (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (notes, "malt-soak: %s\n", text);
  fflush (notes);
}

void
soak_fault (SoakFault fault, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;
  guint n;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_mutex_lock (&lock);
  n = ++n_faults[fault];
  g_mutex_unlock (&lock);
  if (n <= MAX_TOLD)
    soak_note ("%s: %s", fault_names[fault], text);
}

static guint
get_n_operations (const char *name)
{
  return operations ? GPOINTER_TO_UINT (g_hash_table_lookup (operations, name)) : 0;
}

void
soak_count_operation (const char *name)
{
  g_mutex_lock (&lock);
  if (operations == NULL)
    operations = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (operations, (gpointer) name,
                       GUINT_TO_POINTER (get_n_operations (name) + 1));
  g_mutex_unlock (&lock);
}

void
soak_count_launch (void)
{
  g_mutex_lock (&lock);
  n_launches++;
  g_mutex_unlock (&lock);
}

void
soak_count_interrupt (const char *kind, MaltInterruptResult result, gint64 took_us)
{
  Interrupts *entry;

  g_mutex_lock (&lock);
  if (interrupts == NULL)
    interrupts = g_hash_table_new (g_str_hash, g_str_equal);
  entry = g_hash_table_lookup (interrupts, kind);
  if (entry == NULL)
    {
      entry = g_new0 (Interrupts, 1);
      entry->took_us = g_array_new (FALSE, FALSE, sizeof (gint64));
      g_hash_table_insert (interrupts, (gpointer) kind, entry);
    }
  entry->n_results[result]++;
  g_array_append_val (entry->took_us, took_us);
  g_mutex_unlock (&lock);
}

/* The report */

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static double
get_percentile_ms (GArray *sorted_us, guint percent)
{
  guint index = sorted_us->len * percent / 100;

  return (double) g_array_index (sorted_us, gint64, MIN (index, sorted_us->len - 1)) /
         1000;
}

static guint
get_n_required (void)
{
  return (guint) (N_REQUIRED * soak_get_options ()->n_seconds / REQUIRED_S);
}

gboolean
soak_has_enough (void)
{
  g_autoptr (GPtrArray) possible = soak_operations_possible ();
  gboolean is_enough = TRUE;

  g_mutex_lock (&lock);
  for (guint i = 0; i < possible->len; i++)
    is_enough = is_enough && get_n_operations (possible->pdata[i]) >= get_n_required ();
  g_mutex_unlock (&lock);
  return is_enough;
}

static void
append_names (GString *line, const char *key, GPtrArray *names)
{
  g_string_append_printf (line, ",\"%s\":[", key);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (line, "%s\"%s\"", i > 0 ? "," : "",
                            (const char *) names->pdata[i]);
  g_string_append_c (line, ']');
}

static void
append_operations (GString *line, GPtrArray *possible)
{
  guint n_required = get_n_required ();

  g_autoptr (GPtrArray) few = g_ptr_array_new ();

  g_string_append_printf (line, ",\"required\":%u,\"operations\":{", n_required);
  for (guint i = 0; i < possible->len; i++)
    {
      const char *name = possible->pdata[i];
      guint n = get_n_operations (name);

      g_string_append_printf (line, "%s\"%s\":%u", i > 0 ? "," : "", name, n);
      if (n < n_required)
        g_ptr_array_add (few, (gpointer) name);
    }
  g_string_append_c (line, '}');
  append_names (line, "too_few", few);
}

static void
append_interrupts (GString *line, GPtrArray *possible)
{
  const char *comma = "";

  g_string_append (line, ",\"interrupts\":{");
  for (guint i = 0; interrupts != NULL && i < possible->len; i++)
    {
      Interrupts *entry = g_hash_table_lookup (interrupts, possible->pdata[i]);

      if (entry == NULL)
        continue;
      g_array_sort (entry->took_us, compare_times);
      g_string_append_printf (
          line,
          "%s\"%s\":{\"n\":%u,\"delivered\":%u,\"idle\":%u,\"gone\":%u,"
          "\"undeliverable\":%u,\"median_ms\":%.1f,\"p99_ms\":%.1f}",
          comma, (const char *) possible->pdata[i], entry->took_us->len,
          entry->n_results[MALT_INTERRUPT_DELIVERED],
          entry->n_results[MALT_INTERRUPT_IDLE], entry->n_results[MALT_INTERRUPT_GONE],
          entry->n_results[MALT_INTERRUPT_UNDELIVERABLE],
          get_percentile_ms (entry->took_us, 50), get_percentile_ms (entry->took_us, 99));
      comma = ",";
    }
  g_string_append_c (line, '}');
}

static gboolean
append_faults (GString *line)
{
  gboolean is_ok = TRUE;

  g_string_append (line, ",\"faults\":{");
  for (guint i = 0; i < SOAK_N_FAULTS; i++)
    {
      g_string_append_printf (line, "%s\"%s\":%u", i > 0 ? "," : "", fault_names[i],
                              n_faults[i]);
      is_ok = is_ok && n_faults[i] == 0;
    }
  g_string_append_c (line, '}');
  return is_ok;
}

/* Where a runtime is in this process, what it keeps for later cannot be told from what is lost. */
static gboolean
can_judge_memory (void)
{
  return soak_can (MALT_CAPABILITY_ISOLATED);
}

static gboolean
append_remains (GString *line, const SoakRemains *remains)
{
  g_string_append_printf (
      line,
      ",\"left\":{\"processes\":%u,\"descriptors\":%u,\"threads\":%u,\"files\":%u,"
      "\"memory_kib\":%" G_GINT64_FORMAT "}",
      remains->n_processes, remains->n_descriptors, remains->n_threads, remains->n_files,
      remains->memory_kib);
  return remains->n_processes == 0 && remains->n_descriptors == 0 &&
         remains->n_threads == 0 && remains->n_files == 0 &&
         (remains->memory_kib <= MEMORY_LIMIT_KIB || !can_judge_memory ());
}

gboolean
soak_report (const SoakRemains *remains)
{
  const SoakOptions *options = soak_get_options ();
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GPtrArray) possible = soak_operations_possible ();
  g_autoptr (GPtrArray) impossible = soak_operations_impossible ();
  gboolean is_ok = soak_has_enough ();

  g_mutex_lock (&lock);
  g_string_append_printf (
      line,
      "{\"backend\":\"%s\",\"seed\":%" G_GINT64_FORMAT
      ",\"seconds\":%d,\"load\":%d,\"took_s\":%.0f,\"launches\":%u",
      options->backend, options->seed, options->n_seconds, options->n_loops,
      (double) (g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC, n_launches);
  if (options->fault != NULL)
    g_string_append_printf (line, ",\"planted\":\"%s\"", options->fault);
  append_operations (line, possible);
  if (!can_judge_memory ())
    g_ptr_array_add (impossible, (gpointer) "bound of memory");
  append_names (line, "not_possible", impossible);
  append_interrupts (line, possible);
  is_ok = append_faults (line) && is_ok;
  is_ok = append_remains (line, remains) && is_ok;
  g_mutex_unlock (&lock);
  g_string_append_printf (line, ",\"ok\":%s}\n", is_ok ? "true" : "false");
  fputs (line->str, report);
  return fflush (report) == 0 && is_ok;
}
