# SPDX-License-Identifier: MIT
"""The options that julia has, too: they do what they do under julia."""
import subprocess
import unittest

from cli_case import MALT, CliCase, environment, julia, malt

# What julia makes of each of these, the command makes, too.
SAME = [
    ["-e", "println(ARGS, repr(PROGRAM_FILE))", "a", "-x", "--help"],
    ["-e", "println(ARGS)", "--", "-a", "--", "b"],
    ["-E", "1+1; 2", "--eval=println(3)", "--print", "'a'", "-e", "x = 1", "-E[x 2; nothing]"],
    ["-L", "load.jl", "--load=load.jl", "-E", "loaded", "x"],
    ["-L", "load.jl", "main.jl", "x", "-L", "--help"],
    ["-L", "load.jl", "-L", "nosuch.jl", "main.jl"],
    ["-t", "2", "-E", "Threads.nthreads()"],
    ["-t3", "--threads=2", "main.jl"],
    ["--threads", "auto", "main.jl"],
    ["--project=env", "main.jl"],
    ["--project", "main.jl"],
    ["-e", "println(read(stdin, String))"],
    ["-e", "f() = error(1)\nf()", "-e", "println(2)"],
    ["-e", "println(2"],
    ["-e", 'println(stderr, "x"); atexit(() -> exit(4)); exit(3)'],
    ["-e", "println(length(stacktrace()))"],
]
LOAD = 'loaded = (@isdefined loaded) ? 2 : 1\nprintln("load ", ARGS, repr(PROGRAM_FILE), basename(@__FILE__))\n'
MAIN = 'println("main ", ARGS, PROGRAM_FILE, Threads.nthreads(), relpath(Base.active_project(), pwd()))\n'


class AsJulia(CliCase):
    def setUp(self):
        super().setUp()
        self.write("load.jl", LOAD)
        self.write("main.jl", MAIN)
        self.write("Project.toml", 'name = "Here"\n')
        self.write("env/Project.toml", 'name = "There"\n')

    def test_options_do_what_they_do_under_julia(self):
        for arguments in SAME:
            with self.subTest(arguments):
                expected = julia(*arguments, cwd=self.folder, stdin=b"words")
                result = malt(*arguments, cwd=self.folder, stdin=b"words")
                self.assert_result(result, expected.returncode, expected.stdout, expected.stderr)

    def test_the_subcommand_may_be_named(self):
        self.assert_result(malt("run", "-t2", "-E", "Threads.nthreads()"), 0, "2\n")

    def test_what_julia_does_not_do_itself_is_the_same(self):
        arguments = ["-L", "load.jl", "-E", "loaded", "-e", 'print(ARGS, repr(PROGRAM_FILE)); "no value"', "--", "x", "--"]
        expected = julia(*arguments, cwd=self.folder).stdout
        for backend in ("distributed", "inprocess"):
            with self.subTest(backend):
                self.assert_result(malt("-b", backend, *arguments, cwd=self.folder), 0, expected)
        arguments = ["-L", "load.jl", "-", "x"]
        self.assert_result(malt(*arguments, cwd=self.folder, stdin=b"println(ARGS, PROGRAM_FILE)"), 0,
                           'load ["x"]"-"load.jl\n["x"]-\n')

    def test_a_connection_that_is_made_back_needs_standard_input(self):
        program = self.write("short.jl", "println(ARGS, read(stdin, String))\n")
        self.assert_result(malt("-o", "transport=tcp-connect", program, "x", stdin=b"y"), 0, '["x"]\n')
        self.assert_result(malt("-o", "transport=tcp-connect", "-E", "ARGS", "x", stdin=b"y"), 0, '["x"]\n')
        result = malt("eval", "-o", "transport=tcp-connect", "-o", "program-flags=-e1", "1")
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertIn("'program-flags'", result.stderr)


class Eval(CliCase):
    def test_arguments_stand_behind_two_dashes(self):
        for arguments, text in ((["join(ARGS, '/')", "--", "a", "--", "-b"], '"a/--/-b"'), (["length(ARGS)", "--"], "0"),
                                (["length(ARGS)"], "0"), (["--", "-1"], "-1"), (["--", "-1", "-2", "--", "x"], "-2"),
                                (["PROGRAM_FILE", "--", "x"], '""')):
            with self.subTest(arguments):
                self.assert_result(malt("eval", *arguments), 0, text + "\n")

    def test_files_are_loaded_first(self):
        self.write("load.jl", LOAD)
        result = malt("eval", "-L", "load.jl", "loaded", "--load", "load.jl", "loaded + 1", "--", "x", cwd=self.folder)
        self.assert_result(result, 0, 'load ["x"]""load.jl\n' * 2 + "3\n")

    def test_threads_and_project(self):
        self.write("env/Project.toml", 'name = "There"\n')
        source = "basename(dirname(Base.active_project())), Threads.nthreads()"
        self.assert_result(malt("eval", "-t2", "--project=env", source, cwd=self.folder), 0, '("env", 2)\n')
        self.assert_result(malt("eval", "-t", "2", source, "--project", cwd=self.folder / "env"), 0, '("env", 2)\n')


class Environment(CliCase):
    """Both commands hand it on, whatever the backend."""
    SOURCE = 'join([get(ENV, "MINE", ""), basename(Base.active_project()), last(LOAD_PATH), Threads.nthreads()], " ")'

    def test_variables_are_handed_on(self):
        project = self.write("Special.toml", "")
        env = environment(MINE="x", JULIA_PROJECT=str(project), JULIA_LOAD_PATH=f"@:{self.folder}", JULIA_NUM_THREADS="2")
        text = f"x Special.toml {self.folder} 2"
        program = self.write("program.jl", f"println({self.SOURCE})\n")
        for backend in ("malt-process", "distributed", "inprocess"):
            with self.subTest(backend):
                self.assert_result(malt("eval", "-b", backend, self.SOURCE, env=env), 0, f'"{text}"\n')
                self.assert_result(malt("run", "-b", backend, program, env=env), 0, text + "\n")

    def test_another_policy_may_be_asked_for(self):
        self.assert_result(malt("eval", "-o", "env-policy=clean", 'haskey(ENV, "MINE")', env=environment(MINE="x")), 0, "false\n")


class Mistakes(CliCase):
    def assert_usage_error(self, result, words):
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(words, result.stderr)

    def test_each_ends_with_2_and_one_line(self):
        for arguments, words in (
                (["-i"], "'-i' needs a REPL"), (["-i", "-e", "1"], "'-i' needs a REPL"),
                (["--interactive", "main.jl"], "'-i' needs a REPL"),
                (["-e"], "expected EXPR after '-e'"), (["--load"], "expected FILE after '--load'"),
                (["-t", "many", "x.jl"], "expected a number or 'auto' after '--threads', got 'many'"), (["-t0", "x.jl"], "got '0'"),
                (["--threds", "2", "x.jl"], "unknown option '--threds', did you mean '--threads'?"),
                (["--projct=.", "x.jl"], "unknown option '--projct', did you mean '--project'?"),
                (["-x", "x.jl"], "unknown option '-x'"), (["--help=x", "x.jl"], "'--help' has no value, got 'x'"),
                (["run", "--evla", "1"], "unknown option '--evla', did you mean '--eval'?"),
                (["eval", "-e", "1"], "unknown option '-e'"), (["eval", "--"], "expected an expression"),
                (["eval", "-b", "nosuch", "1"], "nosuch"), (["eval", "-o", "nosuch=1", "1"], "nosuch"),
                (["eval", "-o", "transport=pigeon", "1"], "pigeon"), (["-o", "transport", "x.jl"], "expected KEY=VALUE"),
                (["-b", "inprocess", "-o", "output=inherit", "x.jl"], "option 'output' in [inprocess] (set by the program): expected one of")):
            with self.subTest(arguments):
                self.assert_usage_error(malt(*arguments), words)

    def test_what_others_have_set_is_no_mistake_of_the_command_line(self):
        path = self.write("malt.conf", "[malt-process]\nthreads = 2\n[distributed]\nmachine = a\nmanager = b\n")
        for env in (environment(MALT_BACKEND="nosuch"), environment(MALT_BACKEND="distributed", MALT_CONFIG=str(path))):
            self.assertEqual(malt("eval", "1", env=env).returncode, 3)


class Order(CliCase):
    def test_what_eval_prints_comes_after_what_the_code_wrote(self):
        path = self.folder / "output"
        for end, text in (("7", "7"), ("sqrt(-1)", "ERROR: DomainError with -1.0:")):
            for shell in (f">{path} 2>&1", f"2>&1 | cat >{path}"):
                with self.subTest(end + shell):
                    source = "for i in 1:9 println(i); println(stderr, -i) end; " + end
                    subprocess.run(["sh", "-c", f'"$0" eval "$1" {shell}', MALT, source], env=environment(), timeout=120)
                    lines = path.read_text().splitlines()
                    self.assertEqual(sorted(lines[:18], key=int), [str(i) for i in range(-9, 10) if i])
                    self.assertEqual(lines[18], text)


if __name__ == "__main__":
    unittest.main()
