/* SPDX-License-Identifier: MIT */
/* The contract over the fake backends: the rules that need no Julia. */
#include "fake-worker.h"
#include "faults-fake.h"

static gboolean
has_no_live_object (G_GNUC_UNUSED gpointer data)
{
  return fake_get_n_live () == 0;
}

int
main (int argc, char **argv)
{
  static const ContractSubject subject = {
    .backend = FAKE_BACKEND_NAME,
    .dialect = &contract_dialect_fake,
    .own_tests = faults_fake,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!fake_backends_register (&error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  status = contract_main (argc, argv, &subject);
  if (contract_until (has_no_live_object, NULL, CONTRACT_DEADLINE_MS))
    return status;
  g_printerr ("%u objects of the fake backend are left\n", fake_get_n_live ());
  return 1;
}
