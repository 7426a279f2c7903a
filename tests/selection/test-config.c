/* SPDX-License-Identifier: MIT */
/* Configs: values, groups, origins, text forms, and what a launch says about them. */
#include "malt-test.h"
#include "selection/malt-config-private.h"
#include "stub-worker.h"

#include <string.h>

static MaltConfig *
stub_config (void)
{
  MaltConfig *config = malt_config_new ();

  stub_worker_register ();
  malt_config_set_backend (config, "stub");
  return config;
}

/* The launch fails with MALT_ERROR_CONFIG and a message that contains the text. */
static void
check_refused (MaltConfig *config, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  if (strstr (error->message, text) == NULL)
    g_printerr ("%s\n", error->message);
  malt_assert (strstr (error->message, text) != NULL);
  malt_assert (strchr (error->message, '\n') == NULL);
}

static void
values_and_origins_can_be_read_back (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  const char *flags[] = { "a;b", "C:\\x", "", NULL };
  g_auto (GStrv) keys = NULL;

  malt_config_set_int (config, "threads", -3);
  malt_config_set_strings (config, "flags", flags);
  malt_config_set_for (config, "stub", "threads", "5");
  malt_assert_string (malt_config_get (config, "threads"), "-3");
  malt_assert_string (malt_config_get (config, "flags"), "a\\;b;C:\\\\x;;");
  malt_assert_string (malt_config_get_for (config, "stub", "threads"), "5");
  malt_assert_string (malt_config_get_for (config, "other", "threads"), "-3");
  malt_assert_string (malt_config_get_origin (config, "threads"), "set by the program");
  malt_assert_string (malt_config_get_origin (config, "julia"), "default");
  keys = malt_config_dup_keys (config);
  malt_assert (g_strv_length (keys) == 2);
  malt_config_unset (config, "threads");
  malt_assert (malt_config_get (config, "threads") == NULL);
  malt_assert_string (malt_config_get_for (config, "stub", "threads"), "5");
}

static void
value_can_be_set_to_what_it_is (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  malt_config_set (config, "julia", "a julia somewhere");
  malt_config_set (config, "julia", malt_config_get (config, "julia"));
  malt_assert_string (malt_config_get (config, "julia"), "a julia somewhere");
  malt_config_set_backend (config, "a backend of some name");
  malt_config_set_backend (config, malt_config_get_backend (config));
  malt_assert_string (malt_config_get_backend (config), "a backend of some name");
}

static void
copies_are_independent (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltConfig) copy = NULL;

  malt_config_set_backend (config, "stub");
  malt_config_set_for (config, "stub", "colour", "green");
  copy = malt_config_copy (config);
  malt_config_set_backend (config, NULL);
  malt_assert (malt_config_get_backend (config) == NULL);
  malt_assert_string (malt_config_get_backend (copy), "stub");
  malt_assert_string (malt_config_get_for (copy, "stub", "colour"), "green");
}

static void
lists_survive_the_text_form (void)
{
  static const char *const lists[][4] = {
    { NULL }, { "", NULL }, { "a", NULL }, { "a", "", NULL }, { ";", "\\", "\\;", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autofree char *text = malt_strings_join (lists[i]);
      g_auto (GStrv) back = malt_strings_split (text);

      malt_assert (g_strv_equal (lists[i], (const char *const *) back));
    }
}

static void
last_text_of_a_list_needs_no_semicolon (void)
{
  g_auto (GStrv) texts = malt_strings_split ("a;C:\\dir\\x");

  malt_assert (g_strv_length (texts) == 2);
  malt_assert_string (texts[1], "C:\\dir\\x");
}

static void
environment_comes_after_the_program (void)
{
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltConfig) empty = NULL;

  g_setenv ("MALT_BACKEND", "from-environment", TRUE);
  g_setenv ("MALT_JULIA", "/opt/julia", TRUE);
  config = malt_config_new_default (NULL);
  malt_assert_string (malt_config_get_backend (config), "from-environment");
  malt_assert_string (malt_config_get_origin (config, "backend"),
                      "environment MALT_BACKEND");
  malt_assert_string (malt_config_get (config, "julia"), "/opt/julia");
  malt_config_set_backend (config, "stub");
  malt_config_read_environment (config);
  malt_assert_string (malt_config_get_backend (config), "stub");
  g_setenv ("MALT_BACKEND", "", TRUE);
  g_unsetenv ("MALT_JULIA");
  empty = malt_config_new_default (NULL);
  malt_assert (malt_config_get_backend (empty) == NULL);
  g_unsetenv ("MALT_BACKEND");
}

static void
environment_may_name_what_a_backend_lacks (void)
{
  g_autoptr (MaltConfig) config = stub_config ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  malt_config_set_from (config, NULL, "colour", "mauve", MALT_ORIGIN_ENVIRONMENT, "env");
  malt_config_set_from (config, NULL, "nonsense", "x", MALT_ORIGIN_ENVIRONMENT, "env");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_option (worker, "colour"), "red");
}

static void
unknown_options_are_refused_with_the_known_ones (void)
{
  g_autoptr (MaltConfig) common = stub_config ();
  g_autoptr (MaltConfig) own = stub_config ();

  malt_config_set (common, "thread", "1");
  check_refused (common, "'threads'");
  malt_config_set_for (own, "stub", "thread", "1");
  check_refused (own, "'threads'");
}

static void
wrong_values_are_refused_with_the_accepted_ones (void)
{
  static const struct
  {
    const char *key;
    const char *value;
    const char *text;
  } cases[] = {
    { "threads", "many", "from 1 to 64" },  { "threads", "0", "from 1 to 64" },
    { "threads", "65", "from 1 to 64" },    { "threads", "1 ", "from 1 to 64" },
    { "threads", "", "from 1 to 64" },      { "offset", "1.5", "a whole number" },
    { "loud", "yes", "'true' or 'false'" }, { "colour", "blue", "'red', 'green'" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MaltConfig) config = stub_config ();

      malt_config_set_for (config, "stub", cases[i].key, cases[i].value);
      check_refused (config, cases[i].text);
    }
}

static void
options_of_one_backend_have_a_group_to_move_to (void)
{
  g_autoptr (MaltConfig) config = stub_config ();

  malt_config_set (config, "colour", "green");
  check_refused (config, "move it to [stub]");
}

static void
values_for_unknown_backends_are_passed_over (void)
{
  g_autoptr (MaltConfig) config = stub_config ();
  g_autoptr (MaltWorker) worker = NULL;

  malt_config_set_for (config, "nobody-knows-it", "x", "y");
  worker = malt_worker_launch (config, NULL, NULL);
  malt_assert (worker != NULL);
}

static void
workers_see_own_then_common_then_default_values (void)
{
  g_autoptr (MaltConfig) config = stub_config ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) flags = NULL;

  malt_config_set (config, "threads", "2");
  malt_config_set_for (config, "stub", "threads", "3");
  malt_config_set (config, "flags", "-O1;--check-bounds=yes");
  malt_config_set_for (config, "stub", "loud", "true");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker != NULL);
  malt_config_set_for (config, "stub", "threads", "4");
  malt_assert (malt_worker_get_option_int (worker, "threads") == 3);
  malt_assert (malt_worker_get_option_bool (worker, "loud"));
  malt_assert (malt_worker_get_option_int (worker, "offset") == 0);
  malt_assert_string (malt_worker_get_option (worker, "colour"), "red");
  malt_assert (malt_worker_get_option (worker, "julia") == NULL);
  flags = malt_worker_dup_option_strings (worker, "flags");
  malt_assert (g_strv_length (flags) == 2);
  malt_assert_string (flags[1], "--check-bounds=yes");
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "values_and_origins_can_be_read_back", values_and_origins_can_be_read_back },
    { "value_can_be_set_to_what_it_is", value_can_be_set_to_what_it_is },
    { "copies_are_independent", copies_are_independent },
    { "lists_survive_the_text_form", lists_survive_the_text_form },
    { "last_text_of_a_list_needs_no_semicolon", last_text_of_a_list_needs_no_semicolon },
    { "environment_comes_after_the_program", environment_comes_after_the_program },
    { "environment_may_name_what_a_backend_lacks",
      environment_may_name_what_a_backend_lacks },
    { "unknown_options_are_refused_with_the_known_ones",
      unknown_options_are_refused_with_the_known_ones },
    { "wrong_values_are_refused_with_the_accepted_ones",
      wrong_values_are_refused_with_the_accepted_ones },
    { "options_of_one_backend_have_a_group_to_move_to",
      options_of_one_backend_have_a_group_to_move_to },
    { "values_for_unknown_backends_are_passed_over",
      values_for_unknown_backends_are_passed_over },
    { "workers_see_own_then_common_then_default_values",
      workers_see_own_then_common_then_default_values },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "config", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  g_unsetenv ("MALT_BACKEND");
  g_unsetenv ("MALT_JULIA");
  return malt_test_run (suites);
}
