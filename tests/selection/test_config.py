# SPDX-License-Identifier: MIT
"""malt config, profiles on the command line, and which julia is never taken."""
import unittest

from cli_case import JULIA, CliCase, environment, malt


def rows(result):
    """{option: (value, origin)}"""
    return {key: (value, origin) for key, value, origin in (line.split("\t") for line in result.stdout.splitlines())}


class ConfigCase(CliCase):
    def user_file(self, text):
        return self.write_at(self.folder / "config" / "malt" / "malt.conf", text)

    def system_file(self, name, text):
        return self.write_at(self.folder / name / "malt" / "malt.conf", text)

    def write_at(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path

    def env(self, **changes):
        return environment(**{"MALT_CONFIG": None, "MALT_JULIA": None, "XDG_CONFIG_HOME": str(self.folder / "config"),
                              "XDG_CONFIG_DIRS": f"{self.folder}/first:{self.folder}/second", **changes})

    def malt(self, *arguments, cwd=None, **changes):
        return malt(*arguments, env=self.env(**changes), cwd=cwd)


class Print(ConfigCase):
    def test_each_option_has_a_line_with_its_value_and_its_origin(self):
        self.user_file('[malt]\nbackend = malt-process\nthreads = 2\n[malt-process]\nexeflags = -O1;a\\;b;\n'
                       'output-prefix = \\sx\\ty\\s\n')
        result = self.malt("config", MALT_JULIA=JULIA)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        path = self.folder / "config" / "malt" / "malt.conf"
        seen = rows(result)
        self.assertEqual(result.stdout.split("\n", 1)[0], f"backend\tmalt-process\t'malt-process': {path}:2 [malt]")
        self.assertEqual(seen["threads"], ("2", f"{path}:3 [malt]"))
        self.assertEqual(seen["exeflags"], ("-O1;a\\;b;", f"{path}:5 [malt-process]"))
        self.assertEqual(seen["output-prefix"], ("\\sx\\ty\\s", f"{path}:6 [malt-process]"))
        self.assertEqual(seen["julia"], (JULIA, "environment MALT_JULIA"))
        self.assertEqual(seen["transport"], ("tcp", "default"))
        self.assertEqual(seen["cwd"], ("", "not set"))

    def test_the_command_line_wins_over_the_environment_and_that_over_files(self):
        self.user_file("[malt]\nbackend = distributed\njulia = /from/file\n[inprocess]\nmodule = new\n")
        result = self.malt("config", "--backend", "inprocess", "--option", "threads=3", MALT_BACKEND="malt-process",
                           MALT_JULIA=JULIA)
        seen = rows(result)
        self.assertEqual(seen["backend"], ("inprocess", "'inprocess': set by the program"))
        self.assertEqual(seen["threads"], ("3", "set by the program"))
        self.assertEqual(seen["module"][0], "new")
        seen = rows(self.malt("config", MALT_BACKEND="malt-process", MALT_JULIA=JULIA))
        self.assertEqual(seen["backend"][0], "malt-process")
        self.assertIn("environment MALT_BACKEND", seen["backend"][1])
        self.assertEqual(seen["julia"], (JULIA, "environment MALT_JULIA"))

    def test_auto_says_what_it_passed_over(self):
        result = self.malt("config", "--backend", "auto", MALT_JULIA=JULIA)
        self.assertIn("the first that can work here", rows(result)["backend"][1])
        none = self.malt("config", PATH=str(self.folder), HOME=str(self.folder), XDG_CACHE_HOME=str(self.folder))
        self.assertEqual((none.returncode, none.stdout), (3, ""))
        self.assertIn("'malt-process' cannot work here: no julia found", none.stderr)
        self.assertIn("'distributed' cannot work here", none.stderr)
        self.assertNotIn("inprocess", none.stderr)

    def test_a_contradiction_is_named_after_the_values(self):
        path = self.user_file("[malt]\ncwd = /srv\n")
        result = self.malt("config", MALT_BACKEND="inprocess", MALT_JULIA=JULIA)
        self.assertEqual(result.returncode, 3)
        self.assertEqual(result.stderr, f"malt: option 'cwd' ({path}:2 [malt]): not a common option of backend 'inprocess'; "
                                        "move it to [malt-process] or [distributed]\n")

    def test_the_users_file_wins_over_those_of_the_system(self):
        self.system_file("second", "[malt]\nthreads = 1\nproject = c\nstdin = inherit\n")
        self.system_file("first", "[malt]\nthreads = 2\nproject = b\n")
        self.user_file("[malt]\nthreads = 3\n")
        seen = rows(self.malt("config", MALT_JULIA=JULIA))
        self.assertEqual([seen[key][0] for key in ("threads", "project", "stdin")], ["3", "b", "inherit"])

    def test_a_relative_directory_is_no_place_for_files(self):
        self.write_at(self.folder / "malt" / "malt.conf", "[malt]\nthreads = 9\n")
        seen = rows(self.malt("config", cwd=self.folder, XDG_CONFIG_HOME=".", XDG_CONFIG_DIRS=".:", MALT_JULIA=JULIA))
        self.assertEqual(seen["threads"], ("", "not set"))


class Profiles(ConfigCase):
    FILE = ("[malt]\nbackend = malt-process\n[malt-process]\ncwd = /\n"
            "[profile test]\nbackend = inprocess\n[profile test inprocess]\nmodule = new\n")

    def test_a_profile_is_named_by_the_command_line_or_the_environment(self):
        self.user_file(self.FILE)
        for result in (self.malt("config", "--profile", "test", MALT_JULIA=JULIA),
                       self.malt("config", "-p", "test", MALT_PROFILE="nosuch", MALT_JULIA=JULIA),
                       self.malt("config", MALT_PROFILE="test", MALT_JULIA=JULIA)):
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(rows(result)["backend"][0], "inprocess")
            self.assertEqual(rows(result)["module"][0], "new")
        for result in (self.malt("config", MALT_JULIA=JULIA), self.malt("config", "--profile=", MALT_PROFILE="test", MALT_JULIA=JULIA)):
            self.assertEqual(rows(result)["backend"][0], "malt-process")
        self.assertIn("name inprocess (", self.malt("backends", "--profile", "test", MALT_JULIA=JULIA).stdout)

    def test_the_backend_of_the_environment_wins_over_that_of_the_profile(self):
        self.user_file(self.FILE)
        result = self.malt("config", "--profile", "test", MALT_BACKEND="distributed", MALT_JULIA=JULIA)
        self.assertEqual(rows(result)["backend"][0], "distributed")

    def test_an_unknown_profile_is_an_error_that_lists_the_known_ones(self):
        self.user_file(self.FILE)
        for command in (["config"], ["eval", "1"], ["run", "x.jl"], ["backends"]):
            result = self.malt(command[0], "--profile", "tset", *command[1:])
            self.assert_result(result, 3, "", "malt: no profile is named 'tset' (set by the program); known: 'test'\n")

    def test_a_profile_evaluates(self):
        self.user_file(self.FILE)
        result = self.malt("eval", "--profile", "test", "sum(1:10)", MALT_JULIA=JULIA)
        self.assert_result(result, 0, "55\n")


class Check(ConfigCase):
    def test_a_file_without_mistakes_is_said_to_be_so(self):
        path = self.write("own.conf", "[malt]\nbackend = inprocess\n[profile p]\nthreads = 2\n")
        self.assert_result(self.malt("config", "--check", str(path)), 0, f"{path}: no mistakes\n")
        self.assert_result(self.malt("config", "--check", str(path), "--profile", "p"), 0, f"{path}: no mistakes\n")

    def test_a_mistake_ends_with_3_and_file_line_and_key(self):
        path = self.write("own.conf", "[malt]\nthread = 1\n")
        result = self.malt("config", "--check", str(path))
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertTrue(result.stderr.startswith(f"malt: {path}:2: unknown key 'thread' in [malt]"), result.stderr)
        for arguments, text in ((["/nonexistent/x.conf"], "'/nonexistent' cannot be looked at"),
                                ([str(self.folder)], "is not a regular file")):
            result = self.malt("config", "--check", *arguments)
            self.assertEqual((result.returncode, result.stdout), (3, ""))
            self.assertIn(text, result.stderr)

    def test_a_file_that_others_may_write_is_refused(self):
        path = self.write("own.conf", "[malt]\n")
        path.chmod(0o666)
        result = self.malt("config", "--check", str(path))
        self.assertEqual(result.returncode, 3)
        self.assertIn("has mode 0666, expected that neither group nor others may write", result.stderr)

    def test_every_command_refuses_a_wrong_file(self):
        path = self.user_file("[malt]\nthreads = 1\n[profile never]\nbackend = nosuch\n")
        for command in (["eval", "1"], ["run", "x.jl"], ["backends"], ["config"]):
            result = self.malt(*command, MALT_JULIA=JULIA)
            self.assertEqual((result.returncode, result.stdout), (3, ""))
            self.assertTrue(result.stderr.startswith(f"malt: {path}:4: key 'backend' in [profile never]"), result.stderr)


class CurrentDirectory(ConfigCase):
    def test_a_julia_in_the_current_directory_is_never_run(self):
        witness = self.folder / "was-run"
        command = self.write_command("julia", f"touch '{witness}'\n")
        bin_folder = self.folder / "bin"
        bin_folder.mkdir()
        command.rename(bin_folder / "julia")
        private = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent", "MALT_JULIA_PREFIX": "/nonexistent"}
        for path in ("", ".", ":", ":/nonexistent", ".:/nonexistent:", "./", "../bin", "bin/../", "/nonexistent::/nonexistent"):
            for julia in (None, "julia"):
                with self.subTest(path=path, julia=julia):
                    result = self.malt("eval", "1", cwd=bin_folder, PATH=path, MALT_JULIA=julia, **private)
                    self.assertEqual((result.returncode, result.stdout), (3, ""))
                    self.assertIn("no julia found" if julia is None else "no program 'julia'", result.stderr)
                    self.assertFalse(witness.exists())


class Hidden(ConfigCase):
    def test_without_libjulia_the_named_backend_fails_and_auto_works(self):
        julia = self.write_command("julia", 'case "$*" in\n'
                                   f'*"library="*) "{JULIA}" "$@" | sed "s|^library=.*|library=/hidden/libjulia.so|" ;;\n'
                                   f'*) exec "{JULIA}" "$@" ;;\n'
                                   "esac\n")
        named = self.malt("eval", "--backend", "inprocess", "1 + 1", MALT_JULIA=str(julia))
        self.assertEqual((named.returncode, named.stdout), (3, ""))
        self.assertEqual(named.stderr, f"malt: julia '{julia}' cannot be embedded: its library '/hidden/libjulia.so' is not there\n")
        for name in (None, "auto"):
            self.assert_result(self.malt("eval", "1 + 1", MALT_JULIA=str(julia), MALT_BACKEND=name), 0, "2\n")

    def test_an_unknown_backend_ends_with_3_and_the_known_names(self):
        result = self.malt("eval", "1", MALT_BACKEND="nosuch", MALT_JULIA=JULIA)
        self.assert_result(result, 3, "", "malt: no backend is named 'nosuch'; known: 'malt-process', 'distributed', 'inprocess'\n")


if __name__ == "__main__":
    unittest.main()
