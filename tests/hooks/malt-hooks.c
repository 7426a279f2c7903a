/* SPDX-License-Identifier: MIT */
/* malt-hooks BACKEND DIRECTORY [NUMBER...]: interrupts at each place of the Julia text where
 * signals are held back or let through, and where our own code waits.
 *
 * DIRECTORY has the text with numbered hooks (number_hooks.py). The library takes it from there:
 * this program's g_resource_lookup_data() stands before GLib's. Each scene is run with all hooks
 * armed that have not been hit yet. When one is reached, the worker sends itself one SIGINT, or
 * eight; or it waits there while this program interrupts the newest call once, or eight times. In
 * a worker that serves several scenes that happens at one hook each time, in one that is made for
 * a scene, which takes long, at several. Whatever happens then, each call is answered once, the
 * worker lives, says nothing of its own and answers the next call. A call ends with its value,
 * unless this program has interrupted one, and then the interrupt was DELIVERED; signals of others
 * do nothing. A hook that no scene reaches is a fault of this test, unless it is known why. */
#include "malt-hooks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum
{
  MAX_PASSES = 5, /* over all scenes, to reach again what depends on moments */
  MAX_SCENES = 64,
  MANY_HOOKS = 12, /* of one worker */
  N_MODES = 4
};

static const HookMode modes[N_MODES] = {
  { "signal", 1, FALSE },
  { "signals", MANY_SIGNALS, FALSE },
  { "interrupt", 1, TRUE },
  { "interrupts", MANY_SIGNALS, TRUE },
};

/* What no scene reaches for certain: parts of the lines that describe hooks. */
static const char *const unsure[] = {
  "start.jl, request: yield()", /* the first job begins before anybody can ask */
  "boot.jl, was_hit:", /* the judge's next look comes first */
  "runtime.jl, let_signals_arrive:", /* a host without a judge asks for it */
  "runtime.jl, pause_while_busy:", /* how long compiling takes decides */
  "runtime.jl, rehearse:",
  "boot.jl, warm_when_idle: yield()", /* a host that is quick to ask again */
  "stream.jl, serve: yield()", /* a connection that is full */
};

HookPage *hook_page;
const char *hook_backend;
const char *hook_directory;
char *hook_variable;
guint hook_n_faults;

static char *page_path; /* (owned) */
static GPtrArray *hooks; /* (owned): the lines that describe them */
static const HookScene *scene_now; /* (nullable) */
static const HookMode *mode_now; /* (nullable) */
static guint32 armed[MAX_HOOKS]; /* as they were when the scene began */

/* The text */

__attribute__ ((visibility ("default"))) GBytes *
g_resource_lookup_data (GResource *resource, const char *path, GResourceLookupFlags flags,
                        GError **error)
{
  static GBytes *(*real) (GResource *, const char *, GResourceLookupFlags, GError **);
  g_autofree char *file =
      g_build_filename (hook_directory, path + strlen ("/org/libmalt/"), NULL);
  gsize n_bytes;
  char *text;

  if (g_file_get_contents (file, &text, &n_bytes, NULL))
    return g_bytes_new_take (text, n_bytes);
  if (real == NULL)
    *(void **) &real = dlsym (RTLD_NEXT, "g_resource_lookup_data");
  return real (resource, path, flags, error);
}

static const char *
describe (guint n)
{
  return g_ptr_array_index (hooks, n - 1);
}

static gboolean
has_been_hit (guint n)
{
  return armed[n] > 0 && hook_page->armed[n] == 0;
}

void
hook_fault (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  hook_n_faults++;
  if (scene_now != NULL)
    g_print ("%s, %u %s: ", scene_now->name, mode_now->n_times, mode_now->name);
  g_print ("%s\n", message);
  for (guint n = 1; n <= hooks->len; n++)
    if (has_been_hit (n))
      g_print ("  at hook %u %s (time %u)\n", n, describe (n), armed[n]);
}

/* Hooks */

static gboolean is_wanted[MAX_HOOKS];
static gboolean is_hit[N_MODES][MAX_HOOKS];
static guint n_passes[MAX_SCENES][MAX_HOOKS]; /* the most that were seen */
static gboolean is_known[MAX_SCENES]; /* the above */

/* All interrupts for workers of their own would take too long: of each kind a fourth. */
static gboolean
is_due (guint n, const HookScene *scene, guint i_mode)
{
  if (!is_wanted[n] || is_hit[i_mode][n])
    return FALSE;
  if (!modes[i_mode].is_interrupt || scene->flags == SCENE_IS_WARM)
    return TRUE;
  return (n + i_mode) % 4 == 0 && (scene->flags & SCENE_IS_LONG) == 0;
}

/* Whether the scene is expected to reach one. */
static gboolean
arm (guint i_scene, guint i_mode, GRand *random)
{
  const HookScene *scene = &hook_scenes[i_scene];
  guint n_due = 0;
  guint n_expected = 0;

  for (guint n = 1; n <= hooks->len; n++)
    {
      guint n_seen = n_passes[i_scene][n];

      armed[n] = 0;
      if (!is_due (n, scene, i_mode))
        continue;
      n_due++;
      n_expected += n_seen > 0;
      armed[n] = 1;
      if (random != NULL && n_seen > 3)
        armed[n] += (guint32) g_rand_int_range (random, 0, (gint32) n_seen / 2);
    }
  return n_due > 0 && (n_expected > 0 || !is_known[i_scene]);
}

static guint
play_armed (guint i_scene, guint i_mode, MaltWorker **kept)
{
  const HookScene *scene = &hook_scenes[i_scene];
  gboolean is_one = modes[i_mode].is_interrupt || scene->flags == SCENE_IS_WARM;
  guint n_hit = 0;

  if (*kept == NULL && (scene->flags & SCENE_IS_FRESH) == 0)
    *kept = hook_launch_warm ();
  scene_now = scene;
  mode_now = &modes[i_mode];
  hook_page->n_signals = mode_now->is_interrupt ? 0 : mode_now->n_times;
  hook_page->is_held = mode_now->is_interrupt ? 1 : 0;
  hook_page->is_let_go = 0;
  hook_page->is_reached = 0;
  hook_page->n_left = is_one ? 1 : MANY_HOOKS;
  memset (hook_page->counts, 0, sizeof hook_page->counts);
  memcpy (hook_page->armed, armed, sizeof armed);
  hook_play (scene, mode_now, kept);
  hook_page->n_left = 0;
  is_known[i_scene] = TRUE;
  for (guint n = 1; n <= hooks->len; n++)
    {
      n_passes[i_scene][n] = MAX (n_passes[i_scene][n], hook_page->counts[n]);
      is_hit[i_mode][n] |= has_been_hit (n);
      n_hit += has_been_hit (n) ? 1 : 0;
    }
  memset (armed, 0, sizeof armed);
  scene_now = NULL;
  return n_hit;
}

static gboolean
is_sure (guint n)
{
  for (guint i = 0; i < G_N_ELEMENTS (unsure); i++)
    if (strstr (describe (n), unsure[i]) != NULL)
      return FALSE;
  return TRUE;
}

/* With one signal, and with eight. */
static gboolean
is_missing (guint n)
{
  return is_wanted[n] && is_sure (n) && !(is_hit[0][n] && is_hit[1][n]);
}

static guint
count_missing (void)
{
  guint n_missing = 0;

  for (guint n = 1; n <= hooks->len; n++)
    n_missing += is_missing (n) ? 1 : 0;
  return n_missing;
}

static void
hit_all (GRand *random)
{
  MaltWorker *kept = NULL;

  for (guint i = 0; i < N_MODES; i++)
    for (guint k = 0; k < n_hook_scenes; k++)
      while ((hook_scenes[k].flags & SCENE_IS_SPARE) == 0 && arm (k, i, random) &&
             play_armed (k, i, &kept) > 0)
        ;
  for (guint i_pass = 1; i_pass < MAX_PASSES && count_missing () > 0; i_pass++)
    for (guint i = 0; i < 2; i++)
      for (guint k = 0; k < n_hook_scenes; k++)
        while (arm (k, i, NULL) && play_armed (k, i, &kept) > 0)
          ;
  memset (armed, 0, sizeof armed);
  for (guint n = 1; n <= hooks->len; n++)
    if (is_missing (n))
      hook_fault ("hook %u is not reached: %s", n, describe (n));
  g_clear_object (&kept);
}

/* Main */

static void
read_hooks (char **numbers)
{
  g_autofree char *path = g_build_filename (hook_directory, "hooks", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    g_error ("there are no hooks in %s", hook_directory);
  lines = g_strsplit (text, "\n", -1);
  hooks = g_ptr_array_new_with_free_func (g_free);
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    {
      char *place = strchr (*line, '\t');

      g_ptr_array_add (hooks, g_strdup (place + 1));
      g_assert_cmpuint (hooks->len, <, MAX_HOOKS);
      *place = '\0';
      is_wanted[hooks->len] =
          *numbers == NULL || g_strv_contains ((const char *const *) numbers, *line);
    }
}

static void
open_page (void)
{
  int fd = g_file_open_tmp ("malt-hooks-XXXXXX", &page_path, NULL);

  g_assert_cmpint (ftruncate (fd, 1 << 16), ==, 0);
  hook_page = mmap (NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (hook_page != MAP_FAILED);
  close (fd);
  hook_variable = g_strconcat ("MALT_TEST_HOOKS=", page_path, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (12);

  if (argc < 3)
    return 2;
  hook_backend = argv[1];
  hook_directory = argv[2];
  g_assert_cmpuint (n_hook_scenes, <=, MAX_SCENES);
  setlinebuf (stdout);
  read_hooks (argv + 3);
  open_page ();
  hit_all (random);
  unlink (page_path);
  g_free (page_path);
  g_free (hook_variable);
  g_print ("%s: %u hooks, %u faults\n", hook_backend, hooks->len, hook_n_faults);
  return hook_n_faults > 0;
}
