# SPDX-License-Identifier: MIT
"""The command on a machine without Julia: the in-process backend is listed with the reason why it cannot work."""
import os
import signal
import unittest

from cli_case import MALT, SECONDS, CliCase, environment, malt, run


class Missing(CliCase):
    def nowhere(self):
        return environment(PATH=str(self.folder), HOME=str(self.folder), XDG_CACHE_HOME=str(self.folder),
                           XDG_CONFIG_HOME=str(self.folder), MALT_JULIA=None)

    def test_the_backend_is_listed_with_the_reason(self):
        result = malt("backends", env=self.nowhere())
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.split("\n")
        row = next(i for i, line in enumerate(lines) if line.startswith("inprocess"))
        self.assertEqual(lines[row].split()[1], "no")
        self.assertIn("no julia found", lines[row + 1])
        self.assertIn(os.path.join(str(self.folder), ".juliaup"), lines[row + 1])

    def test_asking_for_it_gives_that_reason(self):
        listed = malt("backends", env=self.nowhere()).stdout.split("\n")
        row = next(i for i, line in enumerate(listed) if line.startswith("inprocess"))
        result = malt("eval", "--backend", "inprocess", "1", env=self.nowhere())
        self.assert_result(result, 3, "", f"malt: {listed[row + 1].strip()}\n")

    def test_a_broken_julia_ends_the_command_with_a_line(self):
        julia = self.write_command("julia", "echo 'out of order' >&2; exit 1\n")
        result = malt("eval", "--backend", "inprocess", "--julia", str(julia), "1", env=self.nowhere())
        self.assert_result(result, 3, "", f"malt: julia '{julia}' cannot be run: out of order\n")

    def test_a_library_that_starts_a_process_may_wait_for_it(self):
        library = os.environ["MALT_PROBING_LIBRARY"]
        julia = self.write_command("julia", f"printf 'library={library}\\nbindir=/\\nimage={library}\\nversion=1.10.0\\n'\n")
        ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        result = run([MALT, "eval", "--backend", "inprocess", "--julia", str(julia), "1"], b"", SECONDS, env=self.nowhere(),
                     preexec_fn=ignore)
        self.assertEqual((result.returncode, result.stdout), (3, ""), result.stderr)
        self.assertIn("has no known function that initialises it", result.stderr)


if __name__ == "__main__":
    unittest.main()
