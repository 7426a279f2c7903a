# SPDX-License-Identifier: MIT
"""The backend of docs/adding-a-backend.md, built and used by the commands of that page against an installed library."""
import os
import pathlib
import re
import shutil
import unittest

from install_case import BUILD, CMAKE, MAJOR, SOURCE, InstallCase

LIBDIR = os.environ["MALT_LIBDIR"]
HAS_CONTRACT = "MALT_CONTRACT" in os.environ
PAGE = (SOURCE / "docs" / "adding-a-backend.md").read_text()
TUTORIAL = re.search(r"^## A backend in a module$(.*?)(?=^## )", PAGE, flags=re.MULTILINE | re.DOTALL)[1]
EXAMPLE = SOURCE / "docs" / "examples" / "backend" / "logging.c"

# Every slot of the vtable, but for the one without a worker, which core asks the inner class.
VTABLE = (SOURCE / "core" / "include" / "malt" / "malt-worker-class.h").read_text()
SLOTS = set(re.findall(r"^  \w[\w ]*?[ *]*\(\*(\w+)\) \(MaltWorker", VTABLE, flags=re.MULTILINE))

# What a worker in this process is spared runs over a process too.
RULES_OF_PROCESSES = ("B3", "B6", "B14", "B16", "remains")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, flags=re.MULTILINE | re.DOTALL)


class Tutorial(unittest.TestCase):
    def test_the_page_shows_the_file_word_for_word(self):
        self.assertEqual("\n".join(blocks("c")), EXAMPLE.read_text())


class Backend(InstallCase):
    """Tests run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.folder / "prefix"
        case = cls()
        case.run_command(CMAKE, "--install", BUILD, "--prefix", cls.prefix)
        libraries = cls.prefix / LIBDIR
        cls.environment.update(PKG_CONFIG_PATH=f"{libraries}/pkgconfig", LD_LIBRARY_PATH=str(libraries),
                               PATH=f"{cls.prefix}/bin:{cls.environment['PATH']}")
        cls.work = cls.folder / "work"
        cls.work.mkdir()
        shutil.copyfile(EXAMPLE, cls.work / "logging.c")
        cls.build_command, cls.use_commands = blocks("sh")
        case.run_command("sh", "-euc", cls.build_command, cwd=cls.work)

    def use(self, *command, **environment):
        return self.run_command(*command, cwd=self.work, MALT_BACKEND_PATH=str(self.work), **environment)

    def contract(self, *arguments):
        log = self.folder / "log"
        text = self.use("malt-contract", "--backend", "logging", "--option", f"log={log}", *arguments)
        self.assertRegex(text, r"tests +(\d+) +\1 +\1 +0 ")
        operations = {line.split(" ", 1)[0] for line in log.read_text(errors="replace").splitlines()}
        log.unlink()
        return operations

    def test_the_commands_of_the_page_work(self):
        result = self.run_command("sh", "-euc", self.use_commands, cwd=self.work)
        self.assertRegex(result, r"(?m)^logging +yes ")
        self.assertRegex(result, r"(?m)^2$")

    def test_it_is_built_without_a_warning(self):
        warnings = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]
        flags = self.run_command("pkg-config", "--cflags", "malt").split()
        self.run_command("cc", "-fsyntax-only", *warnings, *flags, "logging.c", cwd=self.work)

    def test_an_option_of_the_inner_worker_is_passed_on(self):
        self.assertEqual(self.use("malt", "eval", "--backend", "logging", "--option", "log=/dev/null", "--option",
                                  "threads=2", "--option", "cwd=/", "(Threads.nthreads(), pwd())"), '(2, "/")\n')

    def test_one_around_another_logs_twice(self):
        self.use("malt", "eval", "--backend", "logging", "--option", "inner=logging", "--option", "log=two", "1")
        lines = (self.work / "two").read_text().splitlines()
        self.assertEqual(sum(line.startswith("remote_call 1:") for line in lines), 2)

    def test_native_calls_go_through_it(self):
        """The example of native calls, with one backend around the other."""
        program = (SOURCE / "docs" / "examples" / "native.c").read_text()
        named = 'malt_config_set_backend (config, "inprocess");'
        self.assertIn(named, program)
        wrapped = ('malt_config_set_backend (config, "logging"); malt_config_set_for (config, "logging", "inner", "inprocess");'
                   'malt_config_set_for (config, "logging", "log", "native.log");')
        self.write(self.work / "native.c", program.replace(named, wrapped))
        self.run_command("sh", "-euc", "cc -o native native.c $(pkg-config --cflags --libs malt) -lm", cwd=self.work)
        expected = (SOURCE / "docs" / "examples" / "native.expected").read_text()
        self.assertEqual(self.use(self.work / "native"), expected)
        operations = set((self.work / "native.log").read_text().split())
        self.assertLessEqual({"native_new", "run_in_julia"}, operations)

    def test_a_reason_of_the_inner_one_is_its_own(self):
        errors = self.run_command("malt", "eval", "--backend", "logging", "--option", "inner=nosuch", "1", status=3,
                                  MALT_BACKEND_PATH=str(self.work))
        self.assertIn("'nosuch'", errors)

    def test_a_module_in_the_installed_folder_is_found_after_the_prefix_was_moved(self):
        place = pathlib.Path(self.run_command("pkg-config", "--variable=backenddir", "malt").strip())
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        self.assertEqual(os.path.normpath(place), str(self.prefix / LIBDIR / f"libmalt-{MAJOR}" / "backends"))
        shutil.copyfile(self.work / "logging.so", moved / LIBDIR / f"libmalt-{MAJOR}" / "backends" / "logging.so")
        text = self.run_command(moved / "bin" / "malt", "backends", LD_LIBRARY_PATH="")
        self.assertRegex(text, r"(?m)^logging +yes ")
        self.assertNotRegex(self.run_command("malt", "backends"), r"(?m)^logging")

    @unittest.skipUnless(HAS_CONTRACT, "malt-contract is not built")
    def test_the_contract_holds_around_a_process(self):
        rules = [] if "MALT_TEST_WHOLE_CONTRACT" in os.environ else RULES_OF_PROCESSES
        operations = self.contract("--keep-one", *(word for rule in rules for word in ("--rule", rule)))
        self.assertLessEqual({"kill", "remote_call", "remote_do", "interrupt_async", "stop_async", "release_handles"}, operations)

    @unittest.skipUnless(HAS_CONTRACT, "malt-contract is not built")
    def test_the_whole_contract_holds_around_a_worker_in_the_process(self):
        operations = self.contract("--option", "inner=inprocess")
        source = EXAMPLE.read_text()
        forwarded = set(re.findall(r"SET \((\w+)\)", source))
        self.assertEqual(forwarded, (SLOTS | {"probe"}) - {"is_julia_thread"})
        # What the suite has no need of: signals, native calls and the names of workers.
        self.assertEqual(SLOTS - operations - {"kill", "native_new", "run_in_julia", "spin", "dup_julia_version"}, set())


if __name__ == "__main__":
    unittest.main()
