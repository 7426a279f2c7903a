# SPDX-License-Identifier: MIT
"""malt run: a program does in a worker what it does under julia."""
import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest

from cli_case import JULIA, MALT, CliCase, OnTerminal, Started, environment, julia, malt

PROGRAM = """
println(PROGRAM_FILE)
println(abspath(PROGRAM_FILE) == @__FILE__)
println(basename(@__FILE__), " ", @__DIR__, " ", @__LINE__, " ", @__MODULE__)
println(repr(ARGS))
println(pwd())
include("parts/part.jl")
println(part())
println(repr(read(stdin, String)))
module Inner
value() = 40
end
using .Inner: value
n = 0
for i in 1:2
    global n += i
end
println(value() + n)
macro twice(x)
    :($(esc(x)) * 2)
end
println(@twice 4)
println(stderr, "to stderr")
println(isinteractive())
"the last value is not printed"
"""


class Run(CliCase):
    def setUp(self):
        super().setUp()
        self.write("program.jl", PROGRAM)
        self.write("parts/part.jl", 'part() = basename(@__FILE__) * " " * basename(@__DIR__)\n')

    def test_a_file_of_julia_needs_no_subcommand(self):
        program = self.write("short.jl", "println(repr(ARGS)); exit(4)\n")
        self.assert_result(malt(program, "a b", "--help"), 4, '["a b", "--help"]\n')

    def assert_same_as_julia(self, *arguments, stdin=b"", cwd=None):
        cwd = cwd or self.folder
        expected = julia(*arguments, cwd=cwd, stdin=stdin)
        result = malt("run", *arguments, cwd=cwd, stdin=stdin)
        self.assert_result(result, expected.returncode, expected.stdout, expected.stderr)

    def test_a_program_sees_what_it_sees_under_julia(self):
        self.assert_same_as_julia("program.jl", "one", "two words", "--help", "-x", stdin=b"from stdin\n")

    def test_a_program_elsewhere_runs_in_the_current_directory(self):
        self.assert_same_as_julia("../program.jl", cwd=self.folder / "parts")
        self.assert_same_as_julia(str(self.folder / "program.jl"), cwd="/")

    def test_arguments_of_any_bytes_arrive_as_they_are(self):
        self.write("args.jl", 'foreach(a -> println(repr(collect(codeunits(a)))), ARGS)\n')
        self.assert_same_as_julia("args.jl", b"\xff\xfe", b"", "\u00e4\u2200", "$x \"\\ \n", "'", "a;b")

    def test_a_file_name_of_any_bytes_is_found(self):
        name = "it's \"$x\" \\ \u00e4.jl"
        self.write(name, "println(basename(@__FILE__))\n")
        self.assert_same_as_julia(name)

    def test_an_exception_ends_with_1(self):
        self.write("throws.jl", 'println("before")\n\nfunction f()\n    error("deep")\nend\nf()\nprintln("after")\n')
        result = malt("run", "throws.jl", cwd=self.folder)
        self.assertEqual((result.returncode, result.stdout), (1, "before\n"))
        self.assertTrue(result.stderr.startswith("ERROR: LoadError: deep\n"), result.stderr)
        self.assertIn("Stacktrace:", result.stderr)
        self.assertIn("throws.jl:4", result.stderr)
        self.assertIn("throws.jl:6", result.stderr)

    def test_exit_ends_with_its_status(self):
        self.write("exit.jl", 'atexit(() -> println("bye"))\nprintln("x")\nexit(5)\nprintln("y")\n')
        self.assert_same_as_julia("exit.jl")

    def test_a_file_that_is_not_there_ends_with_1(self):
        result = malt("run", "nosuch.jl", cwd=self.folder)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("nosuch.jl", result.stderr)

    def test_without_a_file_standard_input_is_the_program(self):
        self.assert_same_as_julia(stdin=b"println(ARGS)\nprintln(stderr, 7)\nexit(3)\n")
        self.write("load.jl", "println(8)\n")
        self.assert_same_as_julia("-L", "load.jl", stdin=b"println(9)\n")
        with OnTerminal("run") as on:
            status, text = on.finish()
        self.assertEqual(status, 2)
        self.assertIn("expected a file", text)

    def test_a_program_can_come_from_standard_input(self):
        result = malt("run", "-", "a", stdin=b"println(ARGS); println(PROGRAM_FILE)\n1 + 1\n")
        self.assert_result(result, 0, '["a"]\n-\n')

    def test_standard_input_is_read_as_it_comes(self):
        self.write("lines.jl", "for line in eachline()\n    println(uppercase(line))\nend\n")
        self.assert_same_as_julia("lines.jl", stdin=b"one\ntwo\nthree")

    def test_large_standard_input_arrives_whole(self):
        self.write("count.jl", "println(sum(Int, read(stdin)))\n")
        self.assert_same_as_julia("count.jl", stdin=bytes(range(256)) * 20000)

    def test_a_program_can_ask_on_a_terminal(self):
        path = self.write("ask.jl", 'println("name?")\nname = readline()\nprintln("hello ", name)\n')
        with OnTerminal("run", str(path)) as on:
            on.read_until("name?\n")
            on.type("world\n")
            status, text = on.finish()
            self.assertEqual((status, text.splitlines()[-1]), (0, "hello world"))


class Lent(CliCase):
    """The program has the command's streams, Julia's root task and Julia's end."""

    def same(self, text, *arguments):
        path = self.write("program.jl", text)
        expected = julia(str(path), *arguments, cwd=self.folder)
        result = malt("run", str(path), *arguments, cwd=self.folder)
        self.assert_result(result, expected.returncode, expected.stdout, expected.stderr)

    def test_hooks_decide_the_status(self):
        self.same('atexit(() -> exit(7)); println("x")')
        self.same('atexit(() -> exit(7)); error("boom")')
        self.same('atexit(() -> error("in the hook")); println("x")')

    def test_a_busy_task_does_not_hold_the_end_up(self):
        self.same("@async while true end\nnothing")

    def test_exceptions_are_printed_as_julia_prints_them(self):
        self.same('f() = try; Dict()[:port]; catch; error("cannot configure"); end\nf()')
        self.same("println(1)\nx = = 2\n")
        self.same("println(length(stacktrace()))")

    def test_the_stack_is_as_deep_as_julias(self):
        self.same("depth(n) = n == 0 ? 0 : 1 + depth(n - 1); println(depth(100_000))")

    def test_both_streams_keep_their_order(self):
        path = self.write("program.jl", 'for i in 1:50 println(stdout, "out ", i); println(stderr, "err ", i); end')
        result = subprocess.run([MALT, "run", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=environment(), timeout=120)
        self.assertEqual(result.stdout, "".join(f"out {i}\nerr {i}\n" for i in range(1, 51)))

    def test_what_was_closed_is_not_another_file(self):
        path = self.write("program.jl", 'println("hello"); println(stderr, "runs on")')
        text = ["sh", "-c", f"{MALT} run {path} >&-"]
        result = subprocess.run(text, stderr=subprocess.PIPE, text=True, env=environment(), timeout=120)
        expected = subprocess.run(["sh", "-c", f"{JULIA} --startup-file=no {path} >&-"], stderr=subprocess.PIPE, text=True,
                                  timeout=120)
        self.assertEqual((result.returncode, result.stderr), (expected.returncode, expected.stderr))

    def with_open_files(self, numbers, limit, *arguments, **changes):
        """Runs the command with open files of these numbers, which hold their numbers."""
        with contextlib.ExitStack() as stack:
            for number in numbers:
                path = self.write(f"file-{number}", str(number))
                os.dup2(stack.enter_context(open(path, encoding="ascii")).fileno(), number, inheritable=True)
                stack.callback(os.close, number)
            return subprocess.run([MALT, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(**changes),
                                  pass_fds=numbers, timeout=120, check=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))

    def test_open_files_keep_their_numbers_up_to_the_limit(self):
        source = "foreach(n -> println(read(Base.fdio(n, true), String)), [109, 126, 127])"
        path = self.write("program.jl", source)
        for arguments in (("run", str(path)), ("eval", source)):
            with self.subTest(arguments):
                result = self.with_open_files([109, 126, 127], 128, *arguments)
                self.assert_result(result, 0, "109\n126\n127\n")
        result = self.with_open_files([109], 128, "eval", "--option", "descriptors=none", "ccall(:fcntl, Cint, (Cint, Cint), 109, 1)")
        self.assert_result(result, 0, "-1\n")

    def test_open_files_of_the_command_itself_are_not_handed_on(self):
        """A module of the test keeps a file open, without close-on-exec."""
        module = pathlib.Path(os.environ["MALT_BUILD_DIR"], "tests/modules/keeps-open.so")
        folder = self.folder / "modules"
        folder.mkdir()
        shutil.copyfile(module, folder / module.name)
        source = """names = [try readlink("/proc/self/fd/$d") catch; "" end for d in readdir("/proc/self/fd")];
            (count(endswith("marks"), names), count(endswith("file-109"), names))"""
        result = self.with_open_files([109], 1024, "eval", source, MALT_BACKEND_PATH=str(folder), MODULE_MARKS=str(self.folder / "marks"))
        self.assert_result(result, 0, "(0, 1)\n")
        self.assertEqual((self.folder / "marks").read_text(), "keeps-open\n")

    def test_a_pipe_blocks_afterwards_as_before(self):
        reader, writer = os.pipe()
        path = self.write("program.jl", 'println("x")')
        subprocess.run([MALT, "run", str(path)], stdout=writer, env=environment(), timeout=120, check=True)
        self.assertTrue(os.get_blocking(writer))
        os.close(reader)
        os.close(writer)

    def test_the_terminal_is_julias(self):
        path = self.write("tty.jl", 'println(stdout isa Base.TTY, displaysize(stdout), get(stdout, :color, nothing))')
        with OnTerminal("run", str(path), rows=12, columns=40, env=environment(TERM="xterm")) as on:
            self.assertEqual(on.finish(), (0, "true(12, 40)true\n"))


class Here(CliCase):
    """A program in the command's own process has the command's streams, and ends it as it ends julia."""

    def setUp(self):
        super().setUp()
        if "inprocess" not in malt("backends").stdout.split():
            self.skipTest("there is no inprocess")

    def here(self, text, *options, **changes):
        return malt("run", "-b", "inprocess", *options, str(self.write("program.jl", text)), **changes)

    def test_hooks_decide_the_status_and_may_take_their_time(self):
        self.assert_result(self.here('atexit(() -> exit(7)); println("x")'), 7, "x\n")
        result = self.here('atexit(() -> (sleep(3); println("saved"))); println("x"); error("boom")')
        self.assertEqual((result.returncode, result.stdout), (1, "x\nsaved\n"))
        self.assertTrue(result.stderr.startswith("ERROR: LoadError: boom\n"), result.stderr)

    def test_a_busy_task_does_not_hold_the_end_up(self):
        self.assert_result(self.here("@async while true end\nnothing"), 0)

    def test_what_the_code_wrote_to_a_file_comes_first_and_whole(self):
        path = self.folder / "output"
        for before in ("", "@async while true end; "):
            with self.subTest(before), open(path, "wb") as file:
                subprocess.run([MALT, "eval", "-b", "inprocess", before + "println(1); 2"], stdout=file, env=environment(), timeout=120, check=True)
                self.assertEqual(path.read_text(), "1\n2\n")

    def test_the_command_line_wins_over_the_threads_of_the_environment(self):
        text = "println(Threads.nthreads())"
        self.assert_result(self.here(text, "-t1", env=environment(JULIA_NUM_THREADS="2")), 0, "1\n")
        self.assert_result(self.here(text), 0, "1\n")

    def test_the_terminal_is_julias(self):
        path = self.write("tty.jl", 'println(stdout isa Base.TTY, displaysize(stdout))')
        with OnTerminal("run", "-b", "inprocess", str(path), rows=12, columns=40) as on:
            self.assertEqual(on.finish(), (0, "true(12, 40)\n"))

    def test_what_prints_waits_for_its_reader(self):
        """Nothing is kept meanwhile, and Ctrl-C and other signals come through."""
        text = 'println(0); line = "x"^65535; while true println(line); end'
        for signum, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signum), Started("run", "-b", "inprocess", str(self.write("prints.jl", text))) as started:
                started.read_line()
                peaks = []
                for _ in range(2):
                    for _ in range(400):
                        os.read(started.process.stdout.fileno(), 65536)
                        time.sleep(0.002)
                    peaks.append(int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{started.process.pid}/status").read_text())[1]))
                self.assertLess(peaks[1] - peaks[0], 16 * 1024)
                started.process.send_signal(signum)
                self.assertEqual(started.finish()[0], status)


if __name__ == "__main__":
    unittest.main()
