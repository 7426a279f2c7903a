# SPDX-License-Identifier: MIT
"""Code that runs in several threads of an in-process Julia."""
import unittest

from cli_case import CliCase, malt

N_LINES = 500
PRINT = f'Threads.@threads for i in 1:{N_LINES}; print(string(i, "\\n")); end; Threads.nthreads()'


class Threads(CliCase):
    def test_what_they_print_comes_before_the_value(self):
        for output in ("signal", "forward"):
            with self.subTest(output):
                result = malt("eval", "--backend", "inprocess", "--option", "threads=2", "--option", f"output={output}", PRINT)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                *lines, value = result.stdout.splitlines()
                self.assertEqual(value, "2")
                self.assertEqual(sorted(map(int, lines)), list(range(1, N_LINES + 1)))

    def test_nobody_hears_what_is_discarded(self):
        result = malt("eval", "--backend", "inprocess", "--option", "threads=2", "--option", "output=discard", PRINT)
        self.assert_result(result, 0, "2\n")


if __name__ == "__main__":
    unittest.main()
