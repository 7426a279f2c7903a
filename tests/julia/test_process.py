# SPDX-License-Identifier: MIT
"""The worker as a process: its boot, what user code sees of it, its ends."""

import os
import socket
import subprocess
import time
import unittest

from malt_protocol import *

PLAIN = ("--startup-file=no",)
WITH_BOOT = PLAIN + ("--compile=min",)


def plain(code):
    return subprocess.check_output([julia(), *PLAIN, "-e", code], text=True)


class WorkerCase(unittest.TestCase):
    def setUp(self):
        self.workers = []

    def tearDown(self):
        for w in self.workers:
            w.stop()

    def worker(self, **kwargs):
        self.workers.append(Worker(**kwargs))
        return self.workers[-1]


# The module of the boot, as code that a task of it runs sees it; its STATE[6] says that warming has begun.
BOOT = "parentmodule(current_task().code)"
IS_LOADED = "isdefined(%s, :Peer)" % BOOT
DISPLAYS = ((24, 80, False), (10, 40, True))
SHOWN = ["1 + 1", "-0.0", "1e300", "NaN", "true", "\"a\\n\\$\"", "\"\u00e4\u2200\"", "'a'", ":a", "(1, \"x\")", "[1 2; 3 4]", "collect(1:100)", "1.5f0", "0x01", "missing",
         "sin", "Int", "1:3", "Dict(1 => 2)", "nothing", "1;", "\";\";", "1; 2", "\";\"", "';'", "\"x\"^70000", "String([0x61, 0xff])",
         "struct P; a; b; end; P(1, \"x\")", "printstyled(\"\"); struct Red end; Base.show(io::IO, ::Red) = printstyled(io, \"r\", color = :red); Red()",
         "struct Ask end; Base.show(io::IO, ::MIME\"text/plain\", ::Ask) = print(io, typeof(io), [x for x in io.dict]); Ask()"]
# For these the boot does not look closely enough.
COMMENTED = ["1; # c", "1; ", "\"#\""]


class Boot(WorkerCase):
    def boot_alone(self, **kwargs):
        w = self.worker(**kwargs)
        self.assertIsNone(w.eval("%s.STATE[6] = true; nothing" % BOOT))
        return w

    def test_simple_requests_do_not_load_the_runtime(self):
        w = self.boot_alone()
        w.ping()
        self.assertEqual([w.eval(s) for s in ("1", "1.5", "true", "nothing", "\"\u00e4\"", "\"a\"^60000")], [1, 1.5, True, None, "\u00e4", "a" * 60000])
        self.assertIsNone(w.eval("[1]", NOTHING))
        self.assertEqual(w.show("(1, 2)", DISPLAYS[0]), "(1, 2)")
        self.assertFalse(w.eval(IS_LOADED))
        self.assertEqual(w.eval("(1, 2)"), (1, 2))
        self.assertTrue(w.eval(IS_LOADED))

    def test_the_boot_displays_what_the_runtime_displays(self):
        boot, runtime = self.boot_alone(), self.worker()
        self.assertEqual(runtime.call("+", 1, 1), 2)
        for display in DISPLAYS:
            for source in SHOWN:
                with self.subTest(source, display=display):
                    large = "70000" in source
                    w = self.boot_alone() if large else boot
                    self.assertEqual(w.show(source, display), runtime.show(source, display))
                    self.assertEqual(w.eval(IS_LOADED), large)
        for source in COMMENTED:
            with self.subTest(source):
                self.assertEqual(self.boot_alone().show(source, DISPLAYS[0]), runtime.show(source, DISPLAYS[0]))

    def test_what_fails_to_display_fails_as_in_the_runtime(self):
        runtime = self.worker()
        self.assertEqual(runtime.call("+", 1, 1), 2)
        for source in ("struct Dark end; Base.show(io::IO, ::Dark) = error(\"no light\"); Dark()", "error(\"before\")"):
            told = []
            for w in (self.boot_alone(), runtime):
                with self.assertRaises(RemoteException) as caught:
                    w.show(source, DISPLAYS[0])
                told.append((str(caught.exception), caught.exception.klass, caught.exception.backtrace))
            self.assertEqual(*told)
            self.assertIn("Stacktrace:", told[0][2])

    def test_a_display_is_interrupted(self):
        w = self.boot_alone()
        n = w.start_eval("struct Slow end; Base.show(io::IO, ::Slow) = (global begun = true; sleep(600)); Slow()", DISPLAY, display=DISPLAYS[0])
        w.ping()
        self.assertEqual(w.interrupt(n), 0)
        with self.assertRaises(RemoteException) as caught:
            w.answer(n)
        self.assertEqual(caught.exception.kind, "InterruptException")
        self.assertTrue(w.eval("begun"))

    def test_shutdown_does_not_load_the_runtime(self):
        for outstanding in (None, "sleep(100)", "global begun = true; sleep(100)"):
            r, wr = os.pipe()
            w = self.boot_alone(stdout=wr)
            os.close(wr)
            w.eval("boot = %s; atexit(() -> print(isdefined(boot, :Peer), isdefined(Main, :begun))); nothing" % BOOT)
            if outstanding:
                w.start_eval(outstanding)
            w.send(SHUTDOWN, 0)
            self.assertEqual(w.process.wait(DEADLINE), 0)
            self.assertEqual(os.read(r, 100), b"falsetrue" if outstanding and "begun" in outstanding else b"falsefalse")
            os.close(r)

    def test_a_signal_does_not_hit_the_hooks_of_an_idle_worker(self):
        r, wr = os.pipe()
        w = self.boot_alone(stdout=wr)
        os.close(wr)
        w.eval("atexit(() -> (print(\"in \"); sleep(0.5); print(\"out\"))); nothing")
        w.send(SHUTDOWN, 0)
        self.assertEqual(os.read(r, 100), b"in ")
        w.signal()
        self.assertEqual(w.process.wait(DEADLINE), 0)
        self.assertEqual(os.read(r, 100), b"out")
        os.close(r)


class Process(WorkerCase):
    def test_boot_answers_by_itself_and_then_hands_over(self):
        w = self.worker()
        w.ping()
        self.assertEqual([w.eval(s) for s in ("1 + 1", "1.5", "\"a\"", "true", "nothing", "x = 3; x")], [2, 1.5, "a", True, None, 3])
        self.assertIsNone(w.eval("5", NOTHING))
        self.assertEqual(w.eval("(1, x)"), (1, 3))
        self.assertEqual(w.eval("x"), 3)

    def test_first_request_of_every_kind(self):
        for first in (lambda w: w.call("+", 1, 1), lambda w: w.eval("[1]").items[0] + 1, lambda w: int(w.show("2")), lambda w: w.eval("\"s\"^300").count("s") - 298):
            self.assertEqual(first(self.worker()), 2)
        w = self.worker()
        with self.assertRaises(RemoteException) as caught:
            w.eval("f() = sqrt(-1); f()")
        self.assertRegex(caught.exception.backtrace, r"(?s)Stacktrace:.* f\(\).*top-level scope")
        for word in ("malt", "executor", "finish", "eval("):
            self.assertNotIn(word, caught.exception.backtrace)

    def test_loading_the_runtime_is_announced_and_its_end_shown(self):
        for first, frames in ((lambda w: w.start_call("() -> sleep(600)"), [LOADING, PONG]), (lambda w: w.start_eval("[1]"), [LOADING, OK]),
                              (lambda w: w.start_eval("error()"), [LOADING, ERROR])):
            w = self.worker()
            first(w)
            while len(w.frames) < 2:
                self.assertTrue(w.receive(DEADLINE))
            self.assertEqual([kind for kind, _, _ in w.frames], frames)
            w.frames.clear()
            w.call("+", 1, 1)
            self.assertEqual(w.frames, [])

    def test_a_call_that_the_boot_began_outlives_the_handover(self):
        w = self.worker()
        n = w.start_eval("try; wait(Condition()); catch e; typeof(e) === InterruptException ? \"hit\" : \"no\"; end")
        m = w.start_eval("gate = Channel(1); 1")
        self.assertEqual(w.answer(m), 1)
        self.assertEqual(w.call("+", 1, 1), 2)
        self.assertEqual(w.interrupt(n), 0)
        self.assertEqual(w.answer(n), "hit")

    def test_idle_worker_warms_up_and_stays_idle(self):
        w = self.worker()
        w.eval("1")
        until = time.monotonic() + 3 * DEADLINE
        used, looks_without_work = -1.0, 0
        while time.monotonic() < until and looks_without_work < 2:
            before, used = used, cpu_seconds(w.pid)
            looks_without_work = looks_without_work + 1 if used > 0.5 and used == before else 0
            select.select([w.socket], [], [], 0.5)
        self.assertEqual(looks_without_work, 2)
        with self.assertRaises(RemoteException):
            w.eval("error(\"x\")")
        self.assertLess(cpu_seconds(w.pid) - used, 0.1)

    def test_user_code_sees_a_plain_julia(self):
        w = self.worker()
        questions = ("names(Main, all = true)", "(ARGS, PROGRAM_FILE, isinteractive())", "Base.JLOptions().compile_enabled", "Base.JLOptions().opt_level", "@__MODULE__",
                     "isdefined(Main, :Malt)", "Threads.nthreads()", "LOAD_PATH", "DEPOT_PATH", "sort([string(k) for k in keys(Base.loaded_modules)])", "current_task() isa Task",
                     "Base.julia_cmd()")
        code = "(" + ", ".join(q for q in questions) + ")"
        shown = w.eval("repr(%s)" % code)
        self.assertEqual(shown, plain("print(repr(%s))" % code))
        # The same options but for the text that it was started with.
        fields = "[string(f, \" \", getfield(Base.JLOptions(), f)) for f in fieldnames(Base.JLOptions) if !(fieldtype(Base.JLOptions, f) <: Ptr)]"
        self.assertEqual(w.eval("repr(%s)" % fields), plain("print(repr(%s))" % fields))

    def test_user_code_runs_at_full_speed(self):
        code = "function work(n); s = 0.0; for i in 1:n; s += sin(i) * (i % 3); end; s; end; work(1); cpu_seconds() = ccall(:clock, Clong, ()) / 1e6; " \
               "minimum((t = cpu_seconds(); work(3_000_000); cpu_seconds() - t) for _ in 1:5)"
        self.assertLess(self.worker().eval(code), 1.5 * float(plain("print(%s)" % ("(" + code + ")"))) + 0.01)

    def test_children_hold_no_descriptor_of_ours(self):
        w = self.worker()
        self.assertNotIn("socket", w.eval("read(`ls -l /proc/self/fd`, String)"))
        pid = w.eval("global child = run(`sleep 100`, wait = false); getpid(child)")
        self.assertFalse([d for d in os.listdir("/proc/%d/fd" % pid) if os.readlink("/proc/%d/fd/%s" % (pid, d)).startswith("socket")])
        w.eval("kill(child); nothing")

    def test_distributed_inside(self):
        w = self.worker()
        w.eval("using Distributed; addprocs(1); nothing")
        self.assertEqual(w.eval("remotecall_fetch(() -> myid() + 1, 2)"), 3)
        pid = w.eval("remotecall_fetch(getpid, 2)")
        w.eval("rmprocs(2); nothing")
        self.assertNotEqual(pid, w.pid)

    def test_output_is_complete_before_the_answer(self):
        r, wr = os.pipe()
        w = self.worker(stdout=wr)
        os.close(wr)
        w.eval("print(\"from julia \"); ccall(:printf, Cint, (Cstring, Cint...), \"from C\"); 1")
        self.assertEqual(os.read(r, 1000), b"from julia from C")
        w.call("() -> (print(\"again\"); ccall(:puts, Cint, (Cstring,), \"!\"); nothing)")
        self.assertEqual(os.read(r, 1000), b"again!\n")
        os.close(r)

    def test_remote_do_reports_on_stderr(self):
        r, wr = os.pipe()
        w = self.worker(stderr=wr)
        os.close(wr)
        w.start_eval("error(\"unheard\")", SILENT)
        w.start_call("no_such_thing", flags=SILENT)
        w.start(CALL, b"\x99", SILENT)
        self.assertEqual(w.eval("1"), 1)
        heard = ""
        while not all(text in heard for text in ("Malt: remote_do failed\nERROR: unheard", "no_such_thing", "0x99 is not the tag")):
            self.assertTrue(select.select([r], [], [], DEADLINE)[0], heard)
            heard += os.read(r, 10000).decode()
        os.close(r)

    def test_exit_in_user_code(self):
        for source in ("exit(7)", "@async exit(7); sleep(10)", "atexit(() -> print(\"hook\")); exit(7)"):
            r, wr = os.pipe()
            w = self.worker(stdout=wr)
            os.close(wr)
            w.eval("(1,)")
            w.start_eval(source)
            with self.assertRaises(EOFError):
                w.answer(w.next_id)
            self.assertEqual(w.process.wait(DEADLINE), 7)
            if "hook" in source:
                self.assertEqual(os.read(r, 100), b"hook")
            os.close(r)
        w = self.worker()
        w.start_eval("exit(9)")
        self.assertEqual(w.process.wait(DEADLINE), 9)

    def test_shutdown_runs_atexit_hooks(self):
        r, wr = os.pipe()
        for first in ("1", "[1]"):
            w = self.worker(stdout=wr)
            w.eval("atexit(() -> print(\"bye\")); " + first)
            w.start_eval("sleep(100)")
            w.send(SHUTDOWN, 0)
            self.assertEqual(w.process.wait(DEADLINE), 0)
            self.assertEqual(os.read(r, 100), b"bye")
        os.close(r)
        os.close(wr)

    def test_the_end_of_the_stream_ends_the_worker_at_once(self):
        for source in (None, "sleep(100)", "atexit(() -> sleep(100)); (1,)", "@async while true; sleep(0.001); end; sleep(100)"):
            w = self.worker()
            if source:
                w.start_eval(source)
            w.ping()
            w.socket.close()
            w.process.wait(DEADLINE)

    def test_a_host_that_does_not_read_blocks_nobody_else(self):
        w = self.worker()
        w.eval("[1]")
        n = w.start_eval("zeros(UInt8, 30_000_000)")
        m = w.start_eval("touch(\"/dev/null\"); global ran = true; 5")
        self.assertEqual(len(w.answer(n).items), 30000000)
        self.assertEqual(w.answer(m), 5)

    def test_an_array_may_shrink_while_it_is_sent(self):
        w = self.worker()
        w.eval("a = ones(UInt8, 20_000_000); a[1:2]")
        n = w.start_eval("a")
        m = w.start_eval("empty!(a); resize!(a, 3); GC.gc(); length(a)")
        select.select([w.socket], [], [], DEADLINE)
        self.assertEqual(w.answer(n).dims, (20000000,))
        self.assertEqual(w.answer(m), 3)

    def test_connecting_back_with_tokens(self):
        for good in (True, False):
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen(8)
            w = self.worker(transport=["connect", str(listener.getsockname()[1]), "0", "0", "0"], stdin=subprocess.PIPE)
            token = os.urandom(64)
            w.process.stdin.write(token + b"rest of stdin\n")
            w.process.stdin.flush()
            listener.settimeout(DEADLINE)
            w.socket, _ = listener.accept()
            listener.close()
            w.socket.settimeout(DEADLINE)
            proof = b""
            while len(proof) < 32:
                proof += w.socket.recv(32 - len(proof))
            self.assertEqual(proof, token[:32])
            w.socket.sendall(token[32:] if good else bytes(32))
            if good:
                w.begin()
                self.assertEqual([w.eval("1 + 1"), w.eval("readline()"), w.eval("[2]").items, w.eval("ARGS").items], [2, "rest of stdin", [2], []])
                big = w.eval("rand(UInt8, 5_000_000)")
                self.assertEqual(len(big.items), 5000000)
            else:
                self.assertEqual(w.process.wait(DEADLINE), 1)

    def test_a_wrong_hello_ends_the_worker(self):
        w = self.worker()
        w.send(HELLO, 0, b"NOT MALT" + struct.pack("<HH", 1, 0) + text(""))
        w.process.wait(DEADLINE)

    def test_threads(self):
        w = self.worker(flags=WITH_BOOT, env=dict(os.environ, JULIA_NUM_THREADS="2"))
        self.assertEqual(w.eval("n = Threads.Atomic{Int}(0); Threads.@threads for i in 1:100; Threads.atomic_add!(n, i); end; n[]"), 5050)
        self.assertEqual(w.eval("fetch(Threads.@spawn 1 + 1)"), 2)
        self.assertEqual([w.eval("[%d]" % i).items for i in range(50)], [[i] for i in range(50)])


if __name__ == "__main__":
    unittest.main()
