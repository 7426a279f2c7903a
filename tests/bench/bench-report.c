/* SPDX-License-Identifier: MIT */
/* Figures, as a table with the ratios that were set as goals, and as one JSON object. */
#include "bench.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

/* A figure, or how it compares with another one (NULL: with nothing), and what it
 * should not exceed. */
typedef struct
{
  const char *key;
  const char *base_key;
  double goal;
  double limit;
} BenchGoal;

static const BenchGoal goals[] = {
  { "launch_ms", "distributed_launch_ms", 0.30, 0.30 },
  { "launch_ms", "julia_startup_ms", 2.0, 2.2 },
  { "call_us", "distributed_call_us", 0.35, 0.5 },
  { "call_2core_us", "distributed_call_2core_us", 0.35, 0.5 },
  { "call_us", "echo_us", 1.5, 0 },
  { "call_2core_us", "echo_2core_us", 1.5, 0 },
  { "eval_us", "distributed_eval_us", 0.3, 0.5 },
  { "eval_2core_us", "distributed_eval_2core_us", 0.3, 0.5 },
  { "bulk_out_ms", "distributed_bulk_out_ms", 0.4, 0.5 },
  { "bulk_in_ms", "distributed_bulk_in_ms", 0.8, 0.8 },
  { "error_us", NULL, 1000, 1000 },
  { "error_2core_us", NULL, 1000, 1000 },
  { "cpu_idle_s", NULL, 0.05, 0.05 },
  { "inprocess_start_ms", "julia_startup_ms", 2.3, 2.3 },
  { "inprocess_call_us", NULL, 10, 25 },
  { "inprocess_call_2core_us", NULL, 10, 25 },
  { "inprocess_call_us", "call_us", 1, 0 },
  { "inprocess_call_2core_us", "call_2core_us", 1, 0 },
  { "inprocess_eval_us", "inprocess_call_us", 2, 2 },
  { "inprocess_eval_2core_us", "inprocess_call_2core_us", 2, 2 },
  { "inprocess_bulk_out_ms", NULL, 0.1, 0.1 },
  { "inprocess_native_ns", NULL, 200, 200 },
  { "distributed_backend_call_us", "distributed_call_us", 1.5, 1.5 },
  { "distributed_backend_call_2core_us", "distributed_call_2core_us", 1.5, 1.5 },
  { "distributed_backend_eval_us", "distributed_eval_us", 1.5, 1.5 },
  { "distributed_backend_eval_2core_us", "distributed_eval_2core_us", 1.5, 1.5 },
  { "distributed_backend_next_launch_ms", "distributed_launch_ms", 1.25, 1.25 },
  { "distributed_backend_bulk_out_ms", "distributed_bulk_out_ms", 1.5, 1.5 },
};

gboolean
bench_print_json (BenchSamples *samples, const BenchFact *facts, guint n_facts)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  const char *key;

  json_builder_begin_object (builder);
  for (guint i = 0; i < n_facts; i++)
    {
      json_builder_set_member_name (builder, facts[i].name);
      json_builder_add_string_value (builder, facts[i].value);
    }
  for (guint i = 0; (key = bench_samples_get_key (samples, i)) != NULL; i++)
    {
      json_builder_set_member_name (builder, key);
      json_builder_add_double_value (builder, bench_samples_get_median (samples, key));
    }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  return printf ("%s\n", text) > 0;
}

static const char *
verdict (const BenchGoal *goal, double figure)
{
  if (figure <= goal->goal)
    return "good";
  if (goal->limit > 0 && figure > goal->limit)
    return "TOO MUCH";
  return "short of the goal";
}

static void
print_goal (BenchSamples *samples, const BenchGoal *goal)
{
  double figure = bench_samples_get_median (samples, goal->key);
  double base = goal->base_key ? bench_samples_get_median (samples, goal->base_key) : 1;
  g_autofree char *label = NULL;

  if (figure < 0 || base <= 0)
    return;
  figure /= base;
  label = goal->base_key ? g_strconcat (goal->key, " / ", goal->base_key, NULL)
                         : g_strdup (goal->key);
  printf ("%-64s %9.3f %9.2f", label, figure, goal->goal);
  if (goal->limit > 0)
    printf (" %9.2f", goal->limit);
  else
    printf (" %9s", "-");
  printf ("  %s\n", verdict (goal, figure));
}

void
bench_print_table (BenchSamples *samples, const BenchFact *facts, guint n_facts)
{
  const char *key;

  for (guint i = 0; i < n_facts; i++)
    printf ("%-34s %s\n", facts[i].name, facts[i].value);
  printf ("\n%-34s %12s\n", "FIGURE", "MEDIAN");
  for (guint i = 0; (key = bench_samples_get_key (samples, i)) != NULL; i++)
    printf ("%-34s %12.3f\n", key, bench_samples_get_median (samples, key));
  printf ("\n%-64s %9s %9s %9s\n", "COMPARED", "IS", "GOAL", "LIMIT");
  for (guint i = 0; i < G_N_ELEMENTS (goals); i++)
    print_goal (samples, &goals[i]);
}
