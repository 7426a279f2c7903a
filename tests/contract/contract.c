/* SPDX-License-Identifier: MIT */
/* The program around the contract tests: arguments, CUnit, the watchdog, the list of rules. */
#include "malt-contract.h"

#include <glib/gstdio.h>
#include <string.h>

/* A test that takes longer hangs: the alarm's signal ends the program, and the last line
 * names the test. */
#define WATCHDOG_SECONDS 300

typedef struct
{
  const char *name;
  const char *title;
  const ContractTest *tests;
} ContractRule;

static const ContractTest no_tests[] = { CONTRACT_END };

/* Constant but for the backend's own tests, which contract_main() puts in. */
static ContractRule rules[] = {

  { "B1", "B1 a future completes exactly once", contract_b01 },
  { "B2", "B2 callbacks run in the starter's context", contract_b02 },
  { "B3", "B3 calls are concurrent and start in order", contract_b03 },
  { "B4", "B4 blocking forms work from any thread", contract_b04 },
  { "B5", "B5 giving up abandons the answer", contract_b05 },
  { "B6", "B6 exceptions have the same fields everywhere", contract_b06 },
  { "B7", "B7 an unencodable value fails its call alone", contract_b07 },
  { "B8", "B8 the end of a worker fails what is pending", contract_b08 },
  { "B9", "B9 stop, kill, interrupt and is_running in any state", contract_b09 },
  { "B10", "B10 an interrupt hits what was meant or nothing", contract_b10 },
  { "B11", "B11 workers share nothing", contract_b11 },
  { "B12", "B12 output never blocks", contract_b12 },
  { "B13", "B13 state persists", contract_b13 },
  { "B14", "B14 what cannot be done is not supported", contract_b14 },
  { "B15", "B15 the last reference ends the worker", contract_b15 },
  { "B16", "B16 output comes before completion", contract_b16 },
  { "B17", "B17 channels lose nothing", contract_b17 },
  { "B18", "B18 forks harm nothing", contract_b18 },
  { "own", "what this backend adds", no_tests },
  { "stress", "stress", contract_stress },
  { "remains", "nothing is left behind", contract_remains },
};

#define OWN_TESTS (G_N_ELEMENTS (rules) - 3)

static ContractSubject subject;
static guint n_descriptors_at_start;

const ContractSubject *
contract_get_subject (void)
{
  return &subject;
}

const ContractDialect *
contract_get_dialect (void)
{
  return subject.dialect;
}

guint
contract_get_n_descriptors_at_start (void)
{
  return n_descriptors_at_start;
}

void
contract_note (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("\n      %s\n", text);
}

/* Running */

static guint n_failures_before;

static void
before_test (void)
{
  n_failures_before = CU_get_number_of_failures ();
  contract_host_set_alarm (WATCHDOG_SECONDS);
}

/* A worker that saw a failure is not used for the next test. */
static void
after_test (void)
{
  contract_host_set_alarm (0);
  if (CU_get_number_of_failures () != n_failures_before)
    contract_drop_shared ();
}

static gboolean
is_among (const char *const *names, const char *name)
{
  for (; *names != NULL; names++)
    {
      if (g_ascii_strcasecmp (*names, name) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_wanted (const ContractRule *rule, const ContractTest *test,
           const char *const *only_rules, const char *only_test)
{
  if (test->needs_julia && !subject.dialect->is_julia)
    return FALSE;
  if (only_rules != NULL && !is_among (only_rules, rule->name))
    return FALSE;
  return only_test == NULL || strstr (test->name, only_test) != NULL;
}

/* The wanted tests of a rule, as CUnit wants them, ended by zeros; NULL if there are none. */
static CU_TestInfo *
select_tests (const ContractRule *rule, const char *const *only_rules,
              const char *only_test)
{
  g_autoptr (GArray) selected = g_array_new (TRUE, TRUE, sizeof (CU_TestInfo));

  for (const ContractTest *test = rule->tests; test->name != NULL; test++)
    {
      CU_TestInfo info = { test->name, test->run };

      if (is_wanted (rule, test, only_rules, only_test))
        g_array_append_val (selected, info);
    }
  return selected->len > 0 ? g_array_steal (selected, NULL) : NULL;
}

/* The exit status of the program. */
static int
run_rules (const char *const *only_rules, const char *only_test)
{
  CU_SuiteInfo suites[G_N_ELEMENTS (rules) + 1] = { 0 };
  guint n_suites = 0;
  int status;

  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      CU_TestInfo *tests = select_tests (&rules[i], only_rules, only_test);

      if (tests != NULL)
        suites[n_suites++] = (CU_SuiteInfo){
          .pName = rules[i].title,
          .pSetUpFunc = before_test,
          .pTearDownFunc = after_test,
          .pTests = tests,
        };
    }
  status = malt_test_run (suites);
  for (guint i = 0; i < n_suites; i++)
    g_free (suites[i].pTests);
  if (n_suites == 0)
    g_printerr ("malt-contract: no test is called so\n");
  return status;
}

static void
list_tests (const char *const *only_rules, const char *only_test)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      for (const ContractTest *test = rules[i].tests; test->name != NULL; test++)
        {
          if (is_wanted (&rules[i], test, only_rules, only_test))
            g_print ("%s\n", test->name);
        }
    }
}

/* Runs all in a temporary folder of its own, so that files which stay behind are seen. */
static int
run_in_folder (const char *const *only_rules, const char *only_test, gboolean is_keeping)
{
  g_autofree char *folder = g_dir_make_tmp ("malt-contract-XXXXXX", NULL);
  int status;

  if (folder == NULL)
    return 1;
  /* A critical warning is a failure, too; output is not lost when it ends the program. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  setvbuf (stdout, NULL, _IONBF, 0);
  contract_host_set_temporary_folder (folder);
  n_descriptors_at_start = contract_host_count_descriptors ();
  status = !is_keeping || contract_keep_one () ? run_rules (only_rules, only_test) : 1;
  contract_drop_all ();
  g_rmdir (folder);
  return status;
}

static gboolean
check_backend (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltBackend) backend = malt_backend_lookup (subject.backend, &error);

  if (backend == NULL)
    g_printerr ("malt-contract: %s\n", error->message);
  return backend != NULL;
}

int
contract_main (int argc, char **argv, const ContractSubject *default_subject)
{
  g_autofree char *backend = NULL;
  g_auto (GStrv) options = NULL;
  g_auto (GStrv) only_rules = NULL;
  g_autofree char *test = NULL;
  gboolean is_list = FALSE;
  gboolean is_keeping = FALSE;
  gboolean is_doomed_host = FALSE;
  const GOptionEntry entries[] = {
    { "backend", 'b', 0, G_OPTION_ARG_STRING, &backend, "Backend to test", "NAME" },
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options,
      "Set an option of the worker", "KEY=VALUE" },
    { "rule", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &only_rules,
      "Run the tests of this rule, and others so named", "B7" },
    { "test", 't', 0, G_OPTION_ARG_STRING, &test,
      "Run the tests whose names contain a text", "TEXT" },
    { "keep-one", 'k', 0, G_OPTION_ARG_NONE, &is_keeping,
      "Keep one worker all the time: what workers of the backend share stays meanwhile",
      NULL },
    { "list", 'l', 0, G_OPTION_ARG_NONE, &is_list, "List the tests and run none", NULL },
    { &CONTRACT_DOOMED_HOST_OPTION[2], 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE,
      &is_doomed_host, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context,
                                "Checks a backend of libmalt against its contract.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("malt-contract: %s\n", error->message);
      return 2;
    }
  subject = *default_subject;
  if (backend != NULL)
    subject.backend = backend;
  if (options != NULL)
    subject.options = (const char *const *) options;
  if (subject.own_tests != NULL)
    rules[OWN_TESTS].tests = subject.own_tests;
  if (is_list)
    {
      list_tests ((const char *const *) only_rules, test);
      return 0;
    }
  if (!check_backend ())
    return 2;
  if (is_doomed_host)
    return contract_play_doomed_host ();
  return run_in_folder ((const char *const *) only_rules, test, is_keeping);
}
