# SPDX-License-Identifier: MIT
"""Backends in modules: which are found, which are refused and why, and that a bad one harms nothing. No Julia is needed."""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
MODULES = pathlib.Path(os.environ["MALT_TEST_MODULES"])
HAS_INTROSPECTION = "MALT_HAS_INTROSPECTION" in os.environ
IS_SANITIZED = "MALT_IS_SANITIZED" in os.environ
OTHER_USER, THIRD_USER = 65534, 65533  # no account need have them
SECONDS = 60

IS_ROOT = os.geteuid() == 0
needs_second_user = unittest.skipUnless(IS_ROOT, "only root can be somebody else")


class ModuleCase(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="malt-modules-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.folder.chmod(0o755)
        self.marks = self.folder / "marks"
        self.marks.touch()
        self.marks.chmod(0o666)

    def directory(self, name="modules"):
        path = self.folder / name
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
        return path

    def add(self, kind, name=None, directory=None):
        """Puts a module of that kind into a directory."""
        path = (directory or self.directory()) / (name or f"{kind}.so")
        shutil.copyfile(MODULES / f"{kind}.so", path)
        path.chmod(0o644)
        return path

    def run_malt(self, *arguments, path=None, program=BUILD / "malt", library=BUILD, user=None, **changes):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        kept.update(HOME=str(self.folder), XDG_CONFIG_DIRS=str(self.folder), MODULE_MARKS=str(self.marks), **changes)
        kept["MALT_BACKEND_PATH"] = str(self.directory()) if path is None else path
        if library is not None:
            kept["LD_LIBRARY_PATH"] = str(library)
        # No supplementary group of this process either.
        others = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        result = subprocess.run([program, *arguments], env=kept, cwd=self.folder, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=SECONDS, **others)
        self.assertGreaterEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("Sanitizer", result.stderr)
        return result

    def backends(self, **how):
        """Name -> what `malt backends` says: "yes", or the reason why not."""
        result = self.run_malt("backends", **how)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        rows = {}
        for name, answer, reason in re.findall(r"^(\S.*?) +(yes|no) +.*(?:\n {10,}(.*))?$", result.stdout, flags=re.MULTILINE):
            rows.setdefault(name, reason or answer)
        self.assertIn("malt-process", rows)
        self.assertIn("\nauto takes ", result.stdout)
        return rows

    def ran(self):
        return self.marks.read_text().split()

    def assert_refused(self, name, *words, **how):
        """A row with a reason; asked for by name, the same reason; and nothing else is the worse for it."""
        self.add("good")
        rows = self.backends(**how)
        self.assertEqual(rows.get("good"), "yes")
        for word in words:
            self.assertIn(word, rows.get(name, ""))
        result = self.run_malt("eval", "1", MALT_BACKEND=name, **how)
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertIn(rows[name], result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)


class Found(ModuleCase):
    def test_a_module_in_the_path_is_a_backend(self):
        self.add("good")
        self.add("libother")
        rows = self.backends()
        self.assertEqual((rows["good"], rows["other"]), ("yes", "yes"))

    def test_it_is_never_taken_unless_named(self):
        self.add("good")
        self.assertNotRegex(self.run_malt("backends").stdout, "auto takes 'good'")

    @unittest.skipUnless(HAS_INTROSPECTION, "there is no introspection data that python can use")
    def test_a_program_of_another_language_uses_it(self):
        """There the library itself is loaded with its symbols hidden from others."""
        path = self.add("good")
        bad = self.add("old-abi")
        program = ("import gi\ngi.require_version('Malt', '0')\nfrom gi.repository import Malt\n"
                   "config = Malt.Config.new()\nconfig.set_backend('good')\n"
                   "worker = Malt.Worker.launch(config)\n"
                   "print(worker.remote_eval_fetch(None, 'anything', None).get_int64(), worker.get_backend_name())\n"
                   "print(Malt.Backend.lookup('good').get_module())\n"
                   "print({b.get_name(): b.get_module() for b in Malt.Backend.list()}['old-abi'])\n"
                   "try:\n    Malt.Backend.lookup('old-abi')\n"
                   "except gi.repository.GLib.Error as error:\n"
                   "    print(error.matches(Malt.error_quark(), Malt.Error.BACKEND_UNAVAILABLE))\n")
        result = self.run_malt("-c", program, program=sys.executable, GI_TYPELIB_PATH=os.environ["GI_TYPELIB_PATH"])
        self.assertEqual((result.stdout, result.stderr), (f"42 good\n{path}\n{bad}\nTrue\n", ""))

    def test_nothing_is_loaded_before_a_backend_is_asked_for(self):
        self.add("good")
        self.run_malt("--version")
        self.assertEqual(self.ran(), [])

    def test_the_order_is_that_of_the_path_and_then_of_the_names(self):
        first, second = self.directory("first"), self.directory("second")
        self.add("libother", "z.so", first)
        self.add("good", "b.so", first)
        self.add("no-types", "c.so", second)
        self.add("old-abi", "a.so", second)
        self.backends(path=f"{first}:{second}")
        self.assertEqual(self.ran(), ["good", "libother", "old-abi", "no-types"])

    def test_an_earlier_directory_hides_a_name_of_a_later_one(self):
        first, second = self.directory("first"), self.directory("second")
        self.add("good", "x.so", first)
        self.add("libother", "x.so", second)
        rows = self.backends(path=f"{first}:{second}")
        self.assertIn("good", rows)
        self.assertNotIn("other", rows)
        self.assertEqual(self.ran(), ["good"])

    def test_relative_and_empty_and_missing_entries_do_not_count(self):
        self.add("good")
        rows = self.backends(path=f":modules::./modules:{self.folder}/nosuch:")
        self.assertNotIn("good", rows)
        self.assertEqual(self.ran(), [])

    def test_files_without_the_suffix_do_not_count(self):
        for name in ("good", "good.so.1", "good.txt", ".good.so", "so"):
            self.add("good", name)
        self.assertNotIn("good", self.backends())
        self.assertEqual(self.ran(), [])

    def test_a_link_to_a_module_is_one(self):
        self.add("good", directory=self.directory("elsewhere"))
        (self.directory() / "link.so").symlink_to("../elsewhere/good.so")
        self.assertEqual(self.backends()["good"], "yes")

    def test_modules_beside_the_library_are_found_wherever_it_is(self):
        library = self.directory("lib")
        shutil.copyfile(BUILD / "libmalt.so.0", library / "libmalt.so.0")
        place = library / "libmalt-0" / "backends"
        place.mkdir(parents=True)
        self.add("good", directory=place)
        self.assertEqual(self.backends(path="", library=library)["good"], "yes")
        self.assertNotIn("good", self.backends(path=""))

    def test_a_module_that_uses_the_registry_while_it_is_filled_sees_what_is_there(self):
        self.add("comes-back")
        self.assertEqual(self.backends()["comes-back"], "yes")

    def test_a_module_of_several_gives_those_that_are_right(self):
        self.add("no-worker")
        rows = self.backends()
        self.assertEqual(rows["among-others"], "yes")
        self.assertIn("GObject", rows["no-worker"])


class Refused(ModuleCase):
    def test_modules_that_are_wrong_say_how(self):
        for kind, *words in (("no-entry", "malt_backend_module"), ("no-magic", "MALT_DEFINE_BACKEND_MODULE"),
                             ("old-abi", "version 0", "expected 1"), ("wrong-size", "sizes"), ("no-types", "no backend"),
                             ("unresolved", "malt_there_is_no_such_function"), ("no-slot", "remote_do"),
                             ("bad-name", "'Not one word'"), ("reserved-name", "'auto'"), ("reserved-group", "'profile'"),
                             ("taken-built-in", "'malt-process'")):
            with self.subTest(kind):
                path = self.add(kind)
                self.assert_refused(kind, str(path), *words)
                path.unlink()

    def test_a_name_that_is_taken_stays_with_the_first(self):
        self.add("taken", "zzz.so")
        self.assert_refused("zzz", "'good'", "registered already")

    def test_files_that_are_no_modules_are_refused_without_running_them(self):
        folder = self.directory()
        whole = (MODULES / "good.so").read_bytes()
        (folder / "empty.so").touch()
        (folder / "text.so").write_text("malt_backend_module\n")
        (folder / "script.so").write_text("#!/bin/sh\nexit 0\n")
        (folder / "folder.so").mkdir()
        (folder / "dangling.so").symlink_to("nosuch.so")
        os.mkfifo(folder / "pipe.so")
        shutil.copyfile(sys.executable, folder / "program.so")
        for n_bytes in (100, len(whole) // 4, len(whole) // 3):
            (folder / f"cut-{n_bytes}.so").write_bytes(whole[:n_bytes])
        (folder / "library.so").symlink_to(BUILD / "libmalt.so.0")
        for path in sorted(folder.iterdir()):
            with self.subTest(path.name):
                self.assert_refused(path.stem, path.name)
        self.assertEqual(set(self.ran()), {"good"})

    def test_a_file_cut_off_anywhere_is_a_row_or_works(self):
        """The system's loader dies of some of these."""
        path = self.add("good", "cut.so")
        whole = path.read_bytes()
        for n_bytes in range(1, len(whole), len(whole) // 25):
            with self.subTest(n_bytes):
                path.write_bytes(whole[:n_bytes])
                self.assertTrue({"cut", "good"} & self.backends().keys())

    def test_a_file_whose_name_begins_with_lib_answers_to_both(self):
        self.add("old-abi", "libold.so")
        self.assert_refused("libold", "version 0")
        self.assertIn("version 0", self.run_malt("eval", "--backend", "old", "1").stderr)

    def test_names_that_are_no_text_are_shown_on_one_line(self):
        shutil.copyfile(MODULES / "old-abi.so", os.fsencode(self.directory()) + b"/a\n\x1b[31m\xff%s.so")
        rows = self.backends()
        self.assertTrue(any(name.startswith("a [31m") and "version 0" in reason for name, reason in rows.items()), rows)

    def test_an_unknown_name_is_told_which_modules_failed(self):
        self.add("old-abi")
        result = self.run_malt("eval", "--backend", "nosuch", "1")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, "no backend is named 'nosuch'; known: .*'malt-process'.*"
                                        "modules that could not be loaded: 'old-abi'")


class KeyFiles(ModuleCase):
    """A module that went bad does not make key files bad that speak of it."""

    def config(self, text):
        path = self.folder / "malt.conf"
        path.write_text(text)
        path.chmod(0o644)
        return str(path)

    def test_groups_of_a_module_that_could_not_be_loaded_are_passed_over(self):
        self.add("old-abi")
        file = self.config("[malt]\nthreads = 2\n[old-abi]\nnosuch = 1\n[profile x]\n[profile x old-abi]\nnosuch = 2\n")
        self.assertIn("version 0", self.backends(MALT_CONFIG=file)["old-abi"])

    def test_a_key_file_that_names_it_gives_its_reason(self):
        self.add("old-abi")
        result = self.run_malt("eval", "1", MALT_CONFIG=self.config("[malt]\nbackend = old-abi\nthreads = 2\n"))
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertIn("version 0", result.stderr)

    def test_groups_of_one_that_was_loaded_are_checked(self):
        self.add("good")
        result = self.run_malt("backends", MALT_CONFIG=self.config("[good]\nnosuch = 1\n"))
        self.assertEqual(result.returncode, 3)
        self.assertIn("unknown key 'nosuch' in [good]", result.stderr)


class Trust(ModuleCase):
    """A module that somebody else could have written is never run."""

    def assert_untrusted(self, *words, **how):
        rows = self.backends(**how)
        for word in words:
            self.assertIn(word, rows["good"])
        self.assertEqual(self.ran(), [])

    def test_a_module_that_others_may_write_is_refused(self):
        path = self.add("good")
        for mode in (0o664, 0o646, 0o666):
            with self.subTest(oct(mode)):
                path.chmod(mode)
                self.assert_untrusted(f"{mode:04o}", str(path))
        path.chmod(0o644)
        self.assertEqual(self.backends()["good"], "yes")

    def test_a_directory_that_others_may_write_is_refused(self):
        self.add("good")
        for mode in (0o777, 0o775, 0o1777):
            with self.subTest(oct(mode)):
                self.directory()
                (self.folder / "modules").chmod(mode)
                self.assert_untrusted(f"{mode:04o}", path=str(self.folder / "modules"))

    def test_so_is_a_directory_above(self):
        above = self.directory("above")
        place = above / "modules"
        place.mkdir()
        self.add("good", directory=place)
        above.chmod(0o777)
        self.assert_untrusted("0777", path=str(place))

    @needs_second_user
    def test_a_module_of_somebody_else_is_refused(self):
        path = self.add("good")
        os.chown(path, OTHER_USER, OTHER_USER)
        self.assert_untrusted(f"belongs to user {OTHER_USER}", str(path))
        result = self.run_malt("eval", "1", MALT_BACKEND="good")
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"belongs to user {OTHER_USER}, expected root", result.stderr)

    @needs_second_user
    def test_a_directory_of_somebody_else_is_refused(self):
        self.add("good")
        os.chown(self.directory(), OTHER_USER, OTHER_USER)
        self.assert_untrusted(f"belongs to user {OTHER_USER}")

    @needs_second_user
    def test_a_link_of_somebody_else_is_refused(self):
        self.add("good", directory=self.directory("elsewhere"))
        link = self.directory() / "good.so"
        link.symlink_to(self.folder / "elsewhere" / "good.so")
        os.lchown(link, OTHER_USER, OTHER_USER)
        self.assert_untrusted(f"belongs to user {OTHER_USER}")

    @needs_second_user
    def test_a_user_trusts_root_and_himself_and_nobody_else(self):
        """Run by another user, with copies that he can reach."""
        tools = self.directory("tools")
        for name in ("malt", "libmalt.so.0"):
            shutil.copy(BUILD / name, tools / name)
        path = self.add("good")
        how = {"user": OTHER_USER, "program": tools / "malt", "library": tools}
        for owner, is_trusted in ((0, True), (OTHER_USER, True), (THIRD_USER, False)):
            with self.subTest(owner):
                os.chown(path, owner, owner)
                self.assertEqual(self.backends(**how)["good"] == "yes", is_trusted)

    @needs_second_user
    @unittest.skipIf(IS_SANITIZED, "sanitizers refuse to run with more rights")
    def test_the_variable_is_ignored_in_a_program_with_more_rights_than_its_user(self):
        """A copy of the command that is setuid root, which finds the library by itself."""
        if os.statvfs(self.folder).f_flag & os.ST_NOSUID:
            self.skipTest("the temporary folder is on a file system without setuid")
        program = self.directory("tools") / "malt"
        shutil.copyfile(BUILD / "malt", program)
        self.add("good")
        program.chmod(0o4755)
        self.assertTrue(program.stat().st_mode & stat.S_ISUID)
        self.assertNotIn("good", self.backends(program=program, library=None, user=OTHER_USER))
        self.assertEqual(self.ran(), [])
        # The same, run by root: here it has no more rights than its user.
        self.assertIn("good", self.backends(program=program, library=None))


if __name__ == "__main__":
    unittest.main()
