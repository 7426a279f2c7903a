# SPDX-License-Identifier: MIT
"""The malt command for Windows."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
PREFIX = os.environ.get("MALT_WINE_PREFIX") or os.environ["MALT_WINDOWS_SYSROOT"] + "/wine-prefix"
FAKE = "Z:" + str(BUILD / "tests" / "fake" / "julia.exe").replace("/", "\\")


def malt(*arguments, julia=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALT_")}
    environment["MALT_CONFIG"] = ""
    environment["MALT_WINDOWS_SYSROOT"] = os.environ["MALT_WINDOWS_SYSROOT"]
    if julia is not None:
        environment["MALT_JULIA"] = julia
    command = ["sh", SOURCE / "core" / "setup" / "windows" / "wine.sh", BUILD / "malt.exe", *arguments]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=100)


class Alone(unittest.TestCase):
    """As somebody runs it who has nothing but one folder."""

    def assert_runs(self, program):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALT_", "WINE"))}
        environment["MALT_CONFIG"] = ""
        environment["WINEDEBUG"] = "-all"
        environment["WINEPREFIX"] = PREFIX
        result = subprocess.run(["wine", program, "backends"], env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=100)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, rb"(?m)^inprocess +no ")

    def test_the_build_folder_is_enough(self):
        self.assert_runs(BUILD / "malt.exe")

    def test_what_is_installed_is_enough(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cmake", "--install", BUILD, "--prefix", folder], check=True, stdout=subprocess.DEVNULL)
            self.assert_runs(pathlib.Path(folder) / "bin" / "malt.exe")


class Command(unittest.TestCase):
    def test_backends_lists_the_three_with_the_reasons(self):
        result = malt("backends")
        text = result.stdout.decode()
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("malt-process", "distributed", "inprocess"):
            self.assertRegex(text, rf"(?m)^{name} +no ")
            self.assertIn(f"backend '{name}' cannot work here: no julia found", text)
            # What is named are places where a Julia may be on Windows.
            self.assertIn("\\Programs\\Julia-*\\bin\\julia.exe", text)
        self.assertNotIn("usr", text)
        self.assertNotIn("\r", text)

    def test_backends_says_what_auto_takes(self):
        result = malt("backends", julia=FAKE)
        self.assertRegex(result.stdout.decode(), r"(?m)^auto takes 'distributed'")

    def test_the_exit_status_of_the_worker_is_that_of_the_command(self):
        for backend in ("malt-process", "distributed"):
            with self.subTest(backend):
                self.assertEqual(malt("eval", "--backend", backend, "exit 7", julia=FAKE).returncode, 7)

    def test_a_program_is_run_without_the_commands_standard_input(self):
        for backend in ("malt-process", "distributed", "auto"):
            for program in ("program.jl", "-"):
                with self.subTest(f"{backend} {program}"):
                    result = malt("run", "--backend", backend, program, julia=FAKE)
                    # What stands for Julia knows no such line; before that nothing goes wrong.
                    self.assertIn(f'PROGRAM_FILE = "{program}"', result.stderr.decode())
                    self.assertEqual(result.returncode, 1)

    def test_output_and_values_are_printed_as_they_are(self):
        for backend in ("malt-process", "distributed"):
            with self.subTest(backend):
                result = malt("eval", "--backend", backend, "print grün\n", "text ß €", julia=FAKE)
                self.assertEqual(result.stdout.decode(), "grün\nß €\n", result.stderr)
                self.assertEqual(result.returncode, 0)

    def test_a_wrong_command_line_is_an_error(self):
        result = malt("evla")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"unknown subcommand 'evla'", result.stderr)


if __name__ == "__main__":
    unittest.main()
