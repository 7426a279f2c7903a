#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The README's table of versions is what core/setup/tested.py writes for the runs in core/setup/tested.txt."""
import os
import pathlib
import sys
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "core/setup"))
import tested  # noqa: E402

LOG = """julia 1.10.8: /opt/julia/bin/julia
-- Configuring done
      Start  21: test-contract-inprocess
1/5 Test  #21: test-contract-inprocess .....................   Passed    6.88 sec
2/5 Test   #1: cli-eval ....................................***Failed   13.32 sec
  1/1 Test #9: what a test has printed
3/5 Test   #2: cli-run .....................................***Timeout 1200.05 sec
 4/5 Test #103: distributed-netns ...........................***Skipped   0.10 sec
5/5 Test #104: test-windows-output ..........................   Passed    0.10 sec

60% tests passed, 2 tests failed out of 5
"""


class Tested(unittest.TestCase):
    maxDiff = None

    def test_a_log_says_version_and_results(self):
        version, results = tested.read_log(LOG)
        self.assertEqual(version, "1.10.8")
        self.assertEqual(tested.summarise(results), {"inprocess": (1, 0, ()), "the command": (0, 0, ("cli-eval", "cli-run")),
                                                     "distributed": (0, 1, ())})

    def test_a_log_without_a_julia_is_refused(self):
        with self.assertRaises(ValueError):
            tested.read_log(LOG.partition("\n")[2])

    def test_what_was_written_is_read(self):
        runs = {"1.10.8": tested.summarise(tested.read_log(LOG)[1]), "1.5.3": {"others": (7, 0, ())}}
        self.assertEqual(tested.read_runs(tested.write_runs(runs)), runs)

    def test_the_table_names_what_failed_and_is_in_the_order_of_versions(self):
        runs = {"1.10.8": tested.summarise(tested.read_log(LOG)[1]), "1.5.3": {"others": (7, 0, ())}}
        self.assertEqual(tested.table(runs).splitlines()[2:], [
            "| 1.5.3 |  |  |  |  | 7 of 7 |",
            "| 1.10.8 |  | 0 of 0, 1 skipped | 1 of 1 | 0 of 2, not `cli-eval`, `cli-run` |  |"])

    def test_the_readme_has_the_table_of_the_runs(self):
        readme = tested.README.read_text()
        runs = tested.read_runs(tested.RUNS.read_text())
        self.assertGreater(len(runs), 0)
        self.assertEqual(readme, tested.put_table(readme, runs))


if __name__ == "__main__":
    unittest.main(verbosity=2)
