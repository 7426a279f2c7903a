# SPDX-License-Identifier: MIT
"""Evaluation, calls, what the REPL prints, and errors."""

import os
import re
import subprocess
import tempfile
import unittest

from malt_protocol import *


class Evaluate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.w = Worker()

    @classmethod
    def tearDownClass(cls):
        cls.w.stop()

    def fails(self, kind, source, *args, **kwargs):
        with self.assertRaises(RemoteException) as caught:
            self.w.eval(source, *args, **kwargs)
        e = caught.exception
        self.assertEqual((e.klass, e.kind), (1, kind), e.message)
        return e

    def again_and_again(self, source, expected):
        for value in expected:
            self.assertEqual(self.w.eval(source), value)

    def test_state_persists(self):
        self.w.eval("x = 5; nothing")
        self.assertEqual(self.w.eval("x + 1"), 6)
        self.w.eval("f(a) = a + x")
        self.again_and_again("f(1)", [6, 6, 6])
        self.w.eval("using LinearAlgebra; import Dates")
        self.assertEqual(self.w.eval("dot([1, 2], [3, 4]) + Dates.year(Dates.Date(2020))"), 2031)

    def test_several_expressions_and_definitions_in_one_source(self):
        self.assertEqual(self.w.eval("struct S1; a; end\nmacro twice(e); :(2 * $(esc(e))); end\ny = S1(4)\n@twice y.a"), 8)
        self.assertEqual(self.w.eval("module M1; export g1; g1() = 7; end; using .M1; g1()"), 7)
        self.assertIsNone(self.w.eval(""))
        self.assertIsNone(self.w.eval("# only a comment"))
        self.assertEqual(self.w.eval("const c1 = 3\nc1"), 3)

    def test_caching_never_changes_a_result(self):
        self.w.eval("n = 0")
        self.again_and_again("n += 1", [1, 2, 3, 4])
        self.w.eval("h(x) = 1")
        self.again_and_again("h(0)", [1, 1, 1])
        self.w.eval("h(x) = 2")
        self.again_and_again("h(0)", [2, 2])
        self.w.eval("macro count(); global n += 1; n; end")
        self.again_and_again("@count", [5, 6, 7])
        self.again_and_again("identity(@count)", [8, 9, 10])
        self.w.eval("v() = [0]; w = v()")
        self.again_and_again("push!(v(), 1)[end]", [1, 1])
        self.again_and_again("length(push!([1, 2], 3))", [3, 3, 3])
        self.again_and_again("begin n = 10; n + 1 end", [11, 11, 11])
        self.again_and_again("map(x -> x + n, [1])[1]", [11, 11, 11])
        self.again_and_again("sum(i for i in 1:3)", [6, 6, 6])
        self.again_and_again("ccall(:jl_is_initialized, Cint, ())", [1, 1, 1])
        self.again_and_again("let s = 0; for i in 1:4; s += i; end; s; end", [10, 10])
        self.again_and_again("[i for i in 1:2][2]", [2, 2])
        self.again_and_again("(n > 5) && true", [True, True])
        self.again_and_again("string(\"n=$n\", :a, 'b')", ["n=10ab"] * 3)
        self.w.eval("module A1; p() = 1; end; module A2; p() = 2; end")
        self.w.eval("p() = 0")
        self.again_and_again("p()", [0, 0])
        self.w.eval("p() = A2.p()")
        self.again_and_again("p()", [2, 2])
        self.assertEqual(self.w.eval("p()", module="A1"), 1)
        self.assertEqual(self.w.eval("p()", module="A2"), 2)
        self.assertEqual(self.w.eval("p()", module="A1"), 1)
        self.fails("UndefVarError", "later_name + 1")
        self.w.eval("later_name = 1")
        self.assertEqual(self.w.eval("later_name + 1"), 2)

    def test_code_values(self):
        plus = Expr(Symbol("call"), [Symbol("+"), 1, 2])
        self.assertEqual(self.w.eval(plus), 3)
        self.assertEqual(self.w.eval(Expr(Symbol("block"), [Expr(Symbol("="), [Symbol("q"), 5]), Symbol("q")])), 5)
        self.assertEqual(self.w.eval(7), 7)

    def test_modules(self):
        self.w.eval("module Outer; module Deep; z = 9; end; end")
        self.assertEqual(self.w.eval("z", module="Outer.Deep"), 9)
        self.assertEqual(self.w.eval("z", module="Main.Outer.Deep"), 9)
        self.assertEqual(self.w.call("string", 1, module="Outer"), "1")
        e = self.fails("UndefVarError", "1", module="Nowhere")
        self.assertIn("Nowhere", e.message)
        self.fails("ArgumentError", "1", module="Outer.Deep.z")

    def test_syntax_errors(self):
        before = self.w.eval("touched = 0")
        for source in ("touched = 1; 1 +", "touched = 1; ]", "f(", "\"abc", "touched = 1; 1 1"):
            with self.subTest(source), self.assertRaises(RemoteException) as caught:
                self.w.eval(source)
            self.assertRegex(caught.exception.message, "syntax|ParseError|Expected|incomplete")
        self.assertEqual(self.w.eval("touched"), before)

    def test_the_text_of_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "part.jl"), "w") as f:
                f.write("part = 41\n")
            name = os.path.join(folder, "main.jl")
            source = "include(\"part.jl\")\nhere = @__FILE__\nline = @__LINE__\npart + 1\n"
            self.assertEqual(self.w.eval(source, file=name), 42)
            self.assertEqual(self.w.eval("(here, line)"), (name, 3))
            self.fails("ErrorException", "done = 1\n\nerror(\"in file\")\n", file=name)
            self.assertEqual(self.w.eval("done"), 1)
            e = self.fails("LoadError", "done = 2\n\nx = (1", file=name)
            self.assertIn("main.jl:3", e.backtrace.splitlines()[1] + e.backtrace.splitlines()[2])
            self.assertTrue(e.backtrace.rstrip().endswith(f"in expression starting at {name}:3"))
            self.assertEqual(self.w.eval("done"), 2)
        self.assertEqual(self.w.eval("get(task_local_storage(), :SOURCE_PATH, nothing)"), None)

    def test_file_name_in_backtrace(self):
        e = self.fails("ErrorException", "\n\nerror(\"x\")", file="cell one")
        self.assertRegex(e.backtrace, r"cell one:3")

    def test_result_modes(self):
        self.assertIsNone(self.w.eval("[1, 2]", NOTHING))
        self.assertIsInstance(self.w.eval("1", HANDLE), Handle)
        n = self.w.start_eval("silent = 12", SILENT)
        self.w.ping()
        self.assertEqual(self.w.eval("silent"), 12)
        self.assertFalse([f for f in self.w.frames if f[1] == n])

    def test_display(self):
        self.assertEqual(self.w.show("1 + 1"), "2")
        self.assertEqual(self.w.show("\"a\\n\""), "\"a\\n\"")
        self.assertIsNone(self.w.show("nothing"))
        for source in ("1;", "1; # c", "x = 3; ", "1 #= a =# ; #= b =#"):
            self.assertIsNone(self.w.show(source), source)
        for source in ("1 # ;", "1; 2", "\";\"", "';'"):
            self.assertIsNotNone(self.w.show(source), source)
        for source in ("[1 2; 3 4]", "rand(3)[1:0]", "Dict(:a => 1)", "collect(1:100)", "zeros(50, 50)", "(1, \"x\")", "sin", "Int", "1:3", ":a", "'a'", "big(3)", "1.0im"):
            code = "io = IOContext(stdout, :limit => true, :module => Main, :displaysize => (24, 80)); show(io, MIME(\"text/plain\"), %s)" % source
            with self.subTest(source):
                self.assertEqual(self.w.show(source), plain_julia(code))
        self.assertLess(len(self.w.show("collect(1:1000)", (10, 80, False)).split("\n")), 10)
        self.assertIn("\x1b[", self.w.show("printstyled(stdout, \"\"); :red => Text(\"\"); struct Red end; Base.show(io::IO, ::MIME\"text/plain\", ::Red) = printstyled(io, \"r\", color = :red); Red()", (24, 80, True)))
        with self.assertRaises(RemoteException) as caught:
            self.w.show("struct Dark end; Base.show(io::IO, ::Dark) = error(\"no light\"); Dark()")
        self.assertEqual((caught.exception.klass, caught.exception.message), (1, "no light"))
        self.assertEqual(self.w.call("repr", "x", flags=DISPLAY), "\"\\\"x\\\"\"")

    def test_calls(self):
        self.assertEqual(self.w.call("+", 1, 1), 2)
        self.assertEqual(self.w.call("Base.:+", 1, 2), 3)
        self.assertEqual(self.w.call("x -> x^2", 7), 49)
        self.assertEqual(self.w.call("uppercase ∘ string", "ab"), "AB")
        self.assertEqual(self.w.call("string"), "")
        self.assertEqual(self.w.call("(args...; kw...) -> (length(args), length(kw))", 1, 2, a=1), (2, 1))
        self.assertEqual(self.w.call("sort", (3, 1, 2)) if self.w.eval("VERSION >= v\"1.12\"") else (1, 2, 3), (1, 2, 3))
        self.assertEqual(self.w.call("round", 2.345, digits=1), 2.3)
        self.assertEqual(self.w.call("identity", None), None)
        self.w.eval("g(x) = 1")
        self.assertEqual([self.w.call("g", 1), self.w.call("Main.g", 1)], [1, 1])
        self.w.eval("g(x) = 2")
        self.assertEqual([self.w.call("g", 1), self.w.call("Main.g", 1)], [2, 2])
        self.w.eval("g2 = g; counter = Ref(0)")
        self.assertEqual(self.w.call("g2", 1), 2)
        self.w.eval("g2 = x -> 5")
        self.assertEqual(self.w.call("g2", 1), 5)
        for i in range(3):
            self.assertEqual(self.w.call("() -> (counter[] += 1)"), i + 1)
        self.w.eval("macro now(); counter[]; end")
        for i in range(3):
            self.w.eval("counter[] = %d" % i)
            self.assertEqual(self.w.call("() -> @now"), i)
        with self.assertRaises(RemoteException) as caught:
            self.w.call("no_such_function", 1)
        self.assertEqual(caught.exception.kind, "UndefVarError")
        with self.assertRaises(RemoteException) as caught:
            self.w.call("1 +", 1)
        self.assertEqual(caught.exception.klass, 1)
        with self.assertRaises(RemoteException) as caught:
            self.w.call("sin", "x")
        self.assertEqual(caught.exception.kind, "MethodError")
        self.assertNotIn("malt", caught.exception.backtrace.lower())

    def test_undecodable_requests_are_not_run(self):
        self.w.eval("ran = 0")
        for body in (encode("() -> (global ran = 1)") + b"\x99", encode("f"), encode("() -> (global ran = 1)") + encode(()) + encode(None) * 3 + b"\0",
                     encode("x -> (global ran = 1)") + encode((Handle(999999, "", 0, ""),)) + encode(None) * 3):
            with self.assertRaises(RemoteException) as caught:
                self.w.answer(self.w.start(CALL, body))
            self.assertEqual(caught.exception.klass, 3)
        self.assertEqual(self.w.eval("ran"), 0)

    def test_errors(self):
        e = self.fails("DomainError", "sqrt(-1)")
        self.assertTrue(e.message.startswith("DomainError with -1.0:\nsqrt"))
        self.assertTrue(e.backtrace.startswith("Stacktrace:\n"))
        self.assertRegex(e.backtrace, r"top-level scope[^\n]*(\n +@ [^\n]*)?$")     # newer Julia says where in a line of its own
        self.assertRegex(self.fails("ErrorException", "h3() = error(\"x\"); h4() = h3(); h4()").backtrace, r"(?s)error.*h3.*h4.*top-level scope")
        self.assertEqual(self.fails("Int64", "throw(1)").message, self.w.eval("sprint(showerror, 1)"))
        self.fails("ErrorException", "error(\"x\")", NOTHING)
        self.assertEqual(self.fails("LoadError", "include_string(Main, \"error(:a)\", \"f.jl\")").message[:10], "LoadError:")
        self.assertIn("TaskFailed", self.fails("TaskFailedException", "fetch(@async error(\"in task\"))").kind)
        self.assertIn("in task", self.fails("TaskFailedException", "fetch(@async error(\"in task\"))").message)
        self.w.eval("struct Mute <: Exception end; Base.showerror(io::IO, ::Mute) = error(\"cannot\")")
        self.assertIn("Mute", self.fails("Mute", "throw(Mute())").message)
        self.w.eval("struct Own <: Exception end; Base.showerror(io::IO, ::Own) = print(io, \"my own\")")
        self.assertEqual(self.fails("Own", "throw(Own())").message, "my own")
        self.assertEqual(len(self.fails("ErrorException", "error(\"y\"^5_000_000)").message), 5_000_000)
        cut = self.fails("ErrorException", "error(\"y\"^70_000_000)").message
        self.assertTrue(cut.endswith("y…") and len(cut.encode()) <= 64 << 20, len(cut))
        self.fails("StackOverflowError", "loop(x) = 1 + loop(x + 1); loop(1)")
        deep = self.fails("ErrorException", "deep(x) = x == 20_000 ? error(\"deep\") : 1 + deep(x + 1); deep(1)")
        self.assertIn("(repeats 20000 times)", deep.backtrace)
        self.assertEqual(self.w.eval("1"), 1)

    def test_exceptions_are_printed_as_julia_prints_them(self):
        """Causes, places in files, methods of showerror that take the backtrace, failed tasks."""
        own = "struct Own3 <: Exception end; Base.showerror(io::IO, ::Own3, bt; backtrace = true) = print(io, \"own \", bt !== nothing, backtrace); "
        with tempfile.NamedTemporaryFile("w", suffix=".jl") as f:
            f.write("x = 1\n\nerror(\"in a file\")\n")
            f.flush()
            for code in (own + "throw(Own3())", "try Dict()[:port] catch; error(\"outer\") end",
                         "try try Dict()[:port] catch; [][1] end catch; include(%s) end" % julia_string(f.name),
                         "include(%s)" % julia_string(f.name), "error(\"\")", "throw(collect(1:1000))",
                         "try throw(1) finally throw(2) end", "wait(@async error(\"in a task\"))"):
                with self.assertRaises(RemoteException) as caught:
                    self.w.eval(code)
                text = plain_julia("""
                    @noinline evaluated(text) = Core.eval(Main, Base.parse_input_line(text))
                    try
                        evaluated(%s)
                    catch
                        stack = isdefined(Base, :current_exceptions) ? Base.current_exceptions() : Base.catch_stack()
                        function cut(frames)        # before the caller, and the `eval` that some versions show
                            n = findfirst(f -> f.func === :evaluated, frames) - 1
                            while frames[n].func === :eval; n -= 1; end
                            frames[1:n]
                        end
                        pairs = [(ex, cut([f for b in bt for f in Base.StackTraces.lookup(b) if !f.from_c])) for (ex, bt) in stack]
                        Base.show_exception_stack(IOContext(stdout, :limit => true), pairs)
                    end""" % julia_string(code))
                plain, mine = (re.sub(r"#\d+#\d+", "#N", s.rstrip("\n")) for s in (text, caught.exception.printed))
                with self.subTest(code):
                    self.assertEqual(mine, plain)

    def test_error_text_is_what_julia_makes_of_it(self):
        code = "f1(x) = g1x(x); g1x(x) = error(\"deep \", x); f1(3)"
        e = self.fails("ErrorException", code, file="none")
        text = plain_julia("try; Core.eval(Main, Base.parse_input_line(%s)); catch e; showerror(stdout, e, catch_backtrace()); end" % julia_string(code))
        # Of ten frames and more the numbers are padded.
        mine, plain = ([line.lstrip() for line in s.split("\n")] for s in (e.message + "\n" + e.backtrace, text))
        self.assertEqual(mine, plain[:len(mine)])

    def test_a_failing_call_is_fast_after_the_first(self):
        for _ in range(15):
            self.fails("ErrorException", "error(\"x\")")
        used = cpu_seconds(self.w.pid)
        for _ in range(200):
            self.fails("ErrorException", "error(\"x\")")
        self.assertLess(cpu_seconds(self.w.pid) - used, 200 * 0.003)

    def test_calls_are_concurrent_and_start_in_order(self):
        self.w.eval("order = Int[]; gate = Channel(10); nothing")
        waiting = [self.w.start_eval("push!(order, %d); take!(gate)" % i) for i in range(5)]
        self.w.ping()
        self.assertEqual(self.w.eval("copy(order)").items, [0, 1, 2, 3, 4])
        for i in range(5):
            self.w.eval("put!(gate, %d)" % i)
        self.assertEqual(sorted(self.w.answer(n) for n in waiting), [0, 1, 2, 3, 4])

    def test_task_local_storage_ends_with_the_call(self):
        self.w.eval("task_local_storage(:mine, 1); nothing")
        self.assertIs(self.w.eval("haskey(task_local_storage(), :mine)"), False)

    def test_many_requests_at_once(self):
        numbers = [self.w.start_eval("%d + 0" % i) for i in range(2000)]
        self.assertEqual([self.w.answer(n) for n in numbers], list(range(2000)))
        slow = [self.w.start_eval("sleep(0.05); %d" % i) for i in range(300)]
        self.assertEqual([self.w.answer(n) for n in slow], list(range(300)))


def julia_string(s):
    return "\"" + s.replace("\\", "\\\\").replace("\"", "\\\"").replace("$", "\\$") + "\""


def plain_julia(code):
    if not hasattr(plain_julia, "process"):
        loop = "while !eof(stdin); code = readuntil(stdin, '\\0'); try; Core.eval(Main, Base.parse_input_line(code)); catch e; showerror(stdout, e); end; write(stdout, 0x00); flush(stdout); end"
        plain_julia.process = subprocess.Popen([julia(), "--startup-file=no", "-e", loop], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p = plain_julia.process
    p.stdin.write(code.encode() + b"\0")
    p.stdin.flush()
    out = b""
    while not out.endswith(b"\0"):
        piece = os.read(p.stdout.fileno(), 65536)
        assert piece
        out += piece
    return out[:-1].decode()


def tearDownModule():
    if hasattr(plain_julia, "process"):
        p = plain_julia.process
        p.stdin.close()
        p.wait(DEADLINE)
        p.stdout.close()


if __name__ == "__main__":
    unittest.main()
