# SPDX-License-Identifier: MIT
"""The malt command for Windows, and what it finds: key files, backends in modules."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
FAKE = "Z:" + str(BUILD / "tests" / "fake" / "julia.exe").replace("/", "\\")
PREFIX = pathlib.Path(os.environ.get("MALT_WINE_PREFIX") or os.environ["MALT_WINDOWS_SYSROOT"] + "/wine-prefix")


def malt(*arguments, julia=None, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALT_")}
    environment["MALT_CONFIG"] = ""
    for name in ("MALT_WINDOWS_SYSROOT", "MALT_WINE_PREFIX"):
        if name in os.environ:
            environment[name] = os.environ[name]
    if julia is not None:
        environment["MALT_JULIA"] = julia
    environment.update(variables)
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
            # What stands for Julia says what it got: a program, or a line that it does not know.
            for program, sign in (("program.jl", "no program program.jl here"), ("-", 'PROGRAM_FILE = "-"')):
                with self.subTest(f"{backend} {program}"):
                    result = malt("run", "--backend", backend, program, julia=FAKE)
                    self.assertIn(sign, result.stderr.decode(), result)
                    self.assertEqual(result.returncode, 1)

    def test_output_and_values_are_printed_as_they_are(self):
        for backend in ("malt-process", "distributed"):
            with self.subTest(backend):
                result = malt("eval", "--backend", backend, "print grün\n", "text ß €", julia=FAKE)
                self.assertEqual(result.stdout.decode(), "grün\nß €\n", result.stderr)
                self.assertEqual(result.returncode, 0)

    def test_output_is_forwarded_whole_and_by_its_stream(self):
        expected = b"abcdefghijklmnop" * 100000
        for backend in ("malt-process", "distributed"):
            with self.subTest(backend):
                result = malt("eval", "--backend", backend, f"flood {len(expected)}", julia=FAKE)
                self.assertTrue(result.stdout == expected, len(result.stdout))
                self.assertTrue(result.stderr == expected, result.stderr[-200:])

    def test_a_wrong_command_line_is_an_error(self):
        result = malt("evla")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"unknown subcommand 'evla'", result.stderr)


class Found(unittest.TestCase):
    """In a folder that nobody else may change, with a name that is not ASCII."""

    def setUp(self):
        temporary = next(path for pattern in ("AppData/Local/Temp", "Temp") for path in PREFIX.glob(f"drive_c/users/*/{pattern}"))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="malt-ü€-", dir=temporary))
        self.addCleanup(shutil.rmtree, self.folder)

    def inside(self, name=""):
        return "C:\\" + str(self.folder.relative_to(PREFIX / "drive_c") / name).replace("/", "\\")

    def test_a_key_file_selects_malt_process(self):
        (self.folder / "mält.conf").write_text("[malt]\nbackend = malt-process\n")
        for config, sign in (("", "worker]"), (self.inside("mält.conf"), "[-e]")):
            with self.subTest(config):
                result = malt("eval", "arguments", julia=FAKE, MALT_CONFIG=config)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn(sign, result.stdout.decode())

    def test_a_key_file_that_is_wrong_is_told_with_its_line(self):
        (self.folder / "wrong.conf").write_text("[malt]\r\n\r\nnonsense = 1\r\n")
        result = malt("eval", "int 1", julia=FAKE, MALT_CONFIG=self.inside("wrong.conf"))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("wrong.conf:3: ", result.stderr.decode())

    def test_a_backend_in_a_module_works(self):
        shutil.copy(BUILD / "examples" / "backends" / "logging.dll", self.folder)
        shutil.copy(BUILD / "libmalt.dll", self.folder / "another.dll")
        (self.folder / "text.dll").write_text("no library\n")
        result = malt("backends", julia=FAKE, MALT_BACKEND_PATH=self.inside())
        text = result.stdout.decode()
        self.assertRegex(text, r"(?m)^logging +yes ")
        for name in ("another", "text"):
            self.assertRegex(text, rf"(?m)^{name} +no ")
        result = malt("eval", "--backend", "logging", "--option", "inner=malt-process", "text 42", julia=FAKE,
                      MALT_BACKEND_PATH=self.inside())
        self.assertEqual(result.stdout.decode(), "42\n", result.stderr)
        self.assertTrue(result.stderr)


if __name__ == "__main__":
    unittest.main()
