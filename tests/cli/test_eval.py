# SPDX-License-Identifier: MIT
"""malt eval: what it prints, and how it ends."""
import os
import subprocess
import unittest

from cli_case import MALT, CliCase, OnTerminal, Started, environment, julia, malt

# Each is evaluated here and shown by julia itself.
SHOWN = [
    "x = [1 2; 3 4]; x * x",
    'struct P; a; b; end; P(1, "x")',
    "collect(1:1000)",
    "reshape(1:10000, 100, 100) .* 1.5",
    'Dict("a" => [1, 2])',
    "Dict(i => i^2 for i in 1:100)",
    '"say \\"hi\\"\\n"',
    "'a'",
    ":name",
    "sqrt",
    "missing",
    "(a = 1, b = :c)",
    "1:10",
    ":(f(x) + 1)",
    "'\\u2200' => \"\\u2203\"",
    "@view([1, 2, 3][2:3])",
    "Union{}",
]

# Those that this build has.
BACKENDS = {"malt-process", "inprocess", "distributed"}.intersection(malt("backends").stdout.split())

COLORED = 'struct Red end; Base.show(io::IO, ::Red) = printstyled(io, "red", color = :red); Red()'


# Code that shows what it sees of the stack, frame by frame from the innermost.
TRACES = """names(trace) = println(join((string(f.func) for f in stacktrace(trace)), ' ')); f() = error(); g() = h(); h() = names(backtrace())
try f() catch; names(catch_backtrace()) end
g()
task() = names(backtrace()); wait(Task(task) |> schedule)
try f() catch e; @error "x" exception = (e, catch_backtrace()) end"""


class Value(CliCase):
    def test_values_are_printed_as_the_repl_prints_them(self):
        show = ("for source in ARGS; value = Base.include_string(Main, source);"
                "Base.invokelatest(show, IOContext(stdout, :limit => true, :displaysize => (24, 80), :module => Main),"
                'MIME"text/plain"(), value); print("\\n\\0"); end')
        expected = julia("-e", show, *SHOWN).stdout.split("\0")
        for source, text in zip(SHOWN, expected):
            with self.subTest(source):
                self.assert_result(malt("eval", source), 0, text)

    def test_what_must_hold(self):
        self.assert_result(malt("eval", "1 + 1"), 0, "2\n")
        self.assert_result(malt("eval", 'struct P; a; b; end; P(1, "x")'), 0, 'P(1, "x")\n')
        self.assertTrue(malt("eval", "x = [1 2; 3 4]; x * x").stdout.endswith(":\n  7  10\n 15  22\n"))

    def test_nothing_is_printed_for_nothing_and_after_a_semicolon(self):
        for source in ("nothing", "1;", "1; ", "1 + 1; # a remark", "x = 1;\n", "", "# only a remark"):
            with self.subTest(source):
                self.assert_result(malt("eval", source), 0)

    def test_traces_that_code_takes_end_where_it_begins(self):
        for backend in BACKENDS:
            # The boot evaluates the first one by itself, the runtime what comes behind a Pair.
            for before in ([], ["[1 => 2]"]):
                with self.subTest(backend=backend, before=before):
                    result = malt("eval", "--backend", backend, *before, TRACES)
                    self.assertEqual((result.returncode, result.stdout), (0, "error f top-level scope\nh g top-level scope\ntask\n"))
                    self.assertRegex(result.stderr, r"top-level scope[ \n│@]+(at )?none:5\n└ @ Main none:5\n$")

    def test_hooks_at_the_end_are_called_by_julia_alone(self):
        for backend in BACKENDS - {"inprocess"}:
            with self.subTest(backend):
                source = "hook() = print(join((string(f.func) for f in stacktrace()), ' ')); atexit(hook);"
                self.assert_result(malt("eval", "--backend", backend, source), 0, "hook _atexit")

    def test_a_semicolon_inside_hides_nothing(self):
        self.assert_result(malt("eval", "1; 2"), 0, "2\n")
        self.assert_result(malt("eval", '"a;"'), 0, '"a;"\n')

    def test_expressions_are_evaluated_in_order_and_the_last_one_is_shown(self):
        self.assert_result(malt("eval", "x = 1", "x += 41", "x"), 0, "42\n")

    def test_the_module_is_where_the_code_runs(self):
        self.assert_result(malt("eval", "--module", "Base.Meta", "nameof(@__MODULE__)"), 0, ":Meta\n")

    def test_a_module_that_is_not_there_is_named(self):
        result = malt("eval", "--module", "Nosuch", "1")
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(result.stdout, "")
        self.assertIn("Nosuch", result.stderr)

    def test_a_large_value_is_printed_whole(self):
        # A string Julia itself shortens, from 1.11 on.
        result = malt("eval", 'struct Long end; Base.show(io::IO, ::Long) = print(io, "x"^5_000_000); Long()')
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, "x" * 5_000_000 + "\n")

    def test_bytes_that_are_no_utf8_come_through(self):
        result = malt("eval", 'String([0x61, 0xff, 0x62, 0x00])')
        self.assert_result(result, 0, '"a\\xffb\\0"\n')

    def test_a_locale_without_letters_changes_nothing(self):
        result = malt("eval", '"\u00e4\u2200"', env=environment(LC_ALL="C"))
        self.assert_result(result, 0, '"\u00e4\u2200"\n')

    def test_source_that_is_no_utf8_is_evaluated_or_refused_but_not_mistaken(self):
        result = malt("eval", b'print("\xff")')
        self.assertIn((result.returncode, result.stdout), [(0, "\udcff"), (1, ""), (2, "")])
        self.assertEqual(result.returncode == 0, result.stderr == "")

    def test_a_worker_can_be_a_host(self):
        source = f"read(`{MALT} eval --julia $(joinpath(Sys.BINDIR, Base.julia_exename())) '6 * 7'`, String)"
        self.assert_result(malt("eval", source), 0, '"42\\n"\n')

    def test_distributed_works_in_a_worker(self):
        self.assert_result(malt("eval", "using Distributed; addprocs(1); remotecall_fetch(+, 2, 40, 2)"), 0, "42\n")


class Output(CliCase):
    def test_what_the_code_prints_comes_first_and_unprefixed(self):
        result = malt("eval", 'print("a"); println(stderr, "b"); 1')
        self.assert_result(result, 0, "a1\n", "b\n")

    def test_what_a_child_of_the_code_prints_comes_too(self):
        self.assert_result(malt("eval", 'run(`echo child`); 1'), 0, "child\n1\n")

    def test_output_is_not_held_back(self):
        with Started("eval", 'println("now"); sleep(600)') as started:
            self.assertEqual(started.read_line(), "now\n")

    def test_large_output_arrives_whole(self):
        result = malt("eval", 'for i in 1:1_000_000 println(i) end; print(stderr, "e"^1_000_000)')
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, "".join(f"{i}\n" for i in range(1, 1_000_001)))
        self.assertEqual(result.stderr, "e" * 1_000_000)

    def test_what_is_printed_while_the_worker_ends_arrives(self):
        self.assert_result(malt("eval", 'atexit(() -> println("bye")); 1'), 0, "1\nbye\n")

    def test_standard_input_is_the_commands_unless_it_is_not_wanted(self):
        self.assert_result(malt("eval", "readline()", "read(stdin, String)", stdin=b"first\nwords"), 0, '"words"\n')
        self.assert_result(malt("eval", "--option", "stdin=null", "read(stdin, String)", stdin=b"words"), 0, '""\n')

    def test_a_reader_that_goes_away_ends_everything(self):
        for source in ("println(getpid()); for i in 1:10^8 println(i) end", "println(getpid()); while true println(1) end"):
            with self.subTest(source), Started("eval", source) as started:
                pid = int(started.read_line())
                started.process.stdout.close()
                started.process.wait(timeout=60)
                self.assertNotEqual(started.process.returncode, 0)
                self.assert_gone(pid)

    def test_head_gets_its_line_and_the_pipeline_ends(self):
        result = subprocess.run(["sh", "-c", f"{MALT} eval 'for i in 1:10^7 println(i) end' | head -1"],
                                capture_output=True, text=True, env=environment(), timeout=60)
        self.assertEqual((result.returncode, result.stdout), (0, "1\n"))

    def test_a_value_that_nobody_reads_is_no_complaint(self):
        with Started("eval", "sleep(1); 1:10") as started:
            started.process.stdout.close()
            started.process.wait(timeout=60)
            self.assertEqual(started.process.returncode, 128 + 13)
            self.assertEqual(started.process.stderr.read(), b"")

    def test_a_value_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([MALT, "eval", "1"], stdout=full, stderr=subprocess.PIPE, text=True,
                                    env=environment(), timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left", result.stderr)


class Failure(CliCase):
    def test_an_exception_ends_with_1_and_its_stack_trace(self):
        result = malt("eval", "sqrt(-1)")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertTrue(result.stderr.startswith("ERROR: DomainError with -1.0:\n"), result.stderr)
        self.assertRegex(result.stderr, r"(?m)^Stacktrace:\n +\[1\] ")
        self.assertIn("sqrt", result.stderr.split("Stacktrace:")[1])
        self.assertTrue(result.stderr.endswith("\n") and not result.stderr.endswith("\n\n"))

    def test_nothing_is_evaluated_after_an_exception(self):
        result = malt("eval", 'error("one")', 'println("two")')
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("ERROR: one\n", result.stderr)

    def test_text_that_is_no_julia_ends_with_1(self):
        result = malt("eval", "1 +")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertTrue(result.stderr.startswith("ERROR: "), result.stderr)

    def test_a_value_whose_show_throws_ends_with_1(self):
        result = malt("eval", 'struct Bad end; Base.show(io::IO, ::Bad) = error("no show"); Bad()')
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("no show", result.stderr)

    def test_exit_ends_with_its_status_silently(self):
        for source, status in (("exit(7)", 7), ("exit(0)", 0), ("exit()", 0), ("exit(255)", 255), ("quit = exit; quit(9)", 9),
                               ("@async exit(6); sleep(600)", 6), ('println("x"); exit(4)', 4)):
            with self.subTest(source):
                result = malt("eval", source, "error(\"not reached\")")
                self.assert_result(result, status, "x\n" if "println" in source else "")

    def test_hooks_decide_the_status(self):
        self.assert_result(malt("eval", "atexit(() -> exit(7)); 1"), 7, "1\n")
        self.assertEqual(malt("eval", 'atexit(() -> exit(7)); error("boom")').returncode, 7)
        for backend in BACKENDS & {"malt-process", "inprocess"}:
            with self.subTest(backend):
                self.assert_result(malt("eval", "-b", backend, "atexit(() -> (println(2); exit(7)))", "1"), 7, "1\n2\n")
                self.assertEqual(malt("eval", "-b", backend, 'atexit(() -> exit(7)); error("boom")').returncode, 7)
        result = malt("eval", "atexit(() -> ccall(:kill, Cint, (Cint, Cint), getpid(), 9)); 1")
        self.assert_result(result, -9, "1\n")

    def test_a_signal_that_ends_the_worker_ends_the_command(self):
        result = malt("eval", "ccall(:abort, Cvoid, ())")
        self.assertEqual((result.returncode, result.stdout), (-6, ""))
        self.assertNotIn("malt: ", result.stderr)
        result = malt("eval", 'println(stderr, "last " * "words"); ccall(:kill, Cint, (Cint, Cint), getpid(), 9); sleep(9)')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (-9, "", "last words\n"))


class Terminal(CliCase):
    def test_the_value_fits_the_terminal(self):
        show = ('show(IOContext(stdout, :limit => true, :displaysize => (12, 40), :module => Main),'
                'MIME"text/plain"(), reshape(1:10000, 100, 100)); println()')
        with OnTerminal("eval", "reshape(1:10000, 100, 100)", rows=12, columns=40, env=environment(NO_COLOR="1")) as on:
            self.assertEqual(on.finish(), (0, julia("-e", show).stdout))

    def test_colors_are_for_terminals_without_no_color(self):
        with OnTerminal("eval", COLORED, env=environment(TERM="xterm")) as on:
            status, text = on.finish()
            self.assertEqual((status, text), (0, "\033[31mred\033[39m\n"))
        self.assert_result(malt("eval", COLORED, env=environment(TERM="xterm")), 0, "red\n")
        with OnTerminal("eval", "sqrt(-1)", env=environment(TERM="xterm")) as on:
            status, text = on.finish()
            self.assertEqual(status, 1)
            self.assertIn("ERROR: ", text)
            self.assertIn("\033[", text.split("ERROR: ")[0])
        with OnTerminal("eval", "sqrt(-1)", env=environment(NO_COLOR="1")) as on:
            self.assertNotIn("\033[", on.finish()[1])


if __name__ == "__main__":
    unittest.main()
