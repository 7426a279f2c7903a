# SPDX-License-Identifier: MIT
"""Functions of the host, called from Julia; the test is the host."""
import os
import unittest

from malt_protocol import *


class HostCalls(unittest.TestCase):
    def worker(self, *names, **options):
        w = Worker(**options)
        self.addCleanup(w.stop)
        for name in names:
            self.export(w, name)
        return w

    def export(self, w, name):
        self.assertIsNone(w.answer(w.start(EXPORT, encode(name))))

    def take_back(self, w, name):
        w.send(EXPORT, 0, encode(name), 1)

    def called(self, w):
        """The next call: its number, name, arguments and keyword arguments."""
        _, number, body = w.expect(lambda k, i: k == HOST_CALL)
        d = Decoder(body)
        values = d.value(), d.value(), d.value()
        d.done()
        return (number, *values)

    def give(self, w, number, value):
        w.send(HOST_RESULT, number, encode(value))

    def refuse(self, w, number, message, kind="Kind"):
        w.send(HOST_RESULT, number, b"\1" + encode(kind) + encode(message) + encode(""), 1)

    def message(self, w, source):
        with self.assertRaises(RemoteException) as caught:
            w.eval(source)
        return caught.exception.message

    def test_nothing_appears_in_main_before_the_first_export(self):
        w = self.worker()
        w.eval("[1]")
        self.assertFalse(w.eval("isdefined(Main, :Malt)"))
        self.export(w, "f")
        self.assertTrue(w.eval("isdefined(Main, :Malt)"))
        self.assertEqual(w.eval("string(sort(names(Malt, all = true)))"), "[:HostError, :Malt, :host]")

    def test_a_call_carries_name_arguments_and_keywords(self):
        w = self.worker("double")
        n = w.start_eval("Malt.host.double(21, \"x\"; k = 1)")
        number, *values = self.called(w)
        self.assertEqual(values, ["double", (21, "x"), NamedTuple(("k",), (1,))])
        self.assertEqual(w.eval("1 + 1"), 2, "the worker is free while the host works")
        self.give(w, number, 42)
        self.assertEqual(w.answer(n), 42)

    def test_the_first_frame_of_all_may_be_an_export(self):
        w = self.worker("f")
        n = w.start_eval("Malt.host.f()")
        self.give(w, self.called(w)[0], "first")
        self.assertEqual(w.answer(n), "first")

    def test_names_are_listed_taken_back_and_given_again(self):
        w = self.worker("b", "a", "b")
        self.assertEqual(w.eval("propertynames(Malt.host) == (:a, :b)"), True)
        self.assertEqual(w.eval("f = Malt.host.a; repr(f)"), "Malt.host.a")
        self.take_back(w, "a")
        self.assertEqual(w.eval("propertynames(Malt.host) == (:b,)"), True)
        self.assertEqual(self.message(w, "f()"), "ArgumentError: the host exports no function a; it exports b")
        self.take_back(w, "b")
        self.assertEqual(self.message(w, "Malt.host.b"), "ArgumentError: the host exports no function b; it exports none")
        self.take_back(w, "never")
        self.export(w, "a")
        n = w.start_eval("map(f, [1, 2])")
        for i in (1, 2):
            number, _, arguments, _ = self.called(w)
            self.assertEqual(arguments, (i,))
            self.give(w, number, i * 10)
        self.assertEqual(w.answer(n).items, [10, 20])

    def test_a_malt_of_the_users_is_left_alone(self):
        w = self.worker()
        w.eval("module Malt; x = 1; end; nothing")
        with self.assertRaises(RemoteException) as caught:
            w.answer(w.start(EXPORT, encode("f")))
        self.assertIn("Main has a Malt of its own", caught.exception.message)
        self.assertEqual(w.eval("Malt.x"), 1)
        self.assertEqual(w.eval("isdefined(Malt, :host)"), False)

    def test_errors_of_the_host_are_exceptions(self):
        w = self.worker("bad")
        n = w.start_eval("Malt.host.bad()")
        self.refuse(w, self.called(w)[0], "the host said no")
        with self.assertRaises(RemoteException) as caught:
            w.answer(n)
        self.assertEqual((caught.exception.kind, caught.exception.message), ("HostError", "the host said no"))
        n = w.start_eval("try; Malt.host.bad(); catch e; e isa Malt.HostError ? (e.type, e.message) : e; end")
        self.refuse(w, self.called(w)[0], "no again")
        self.assertEqual(w.answer(n), ("Kind", "no again"))

    def test_a_result_that_cannot_be_read_is_an_exception(self):
        w = self.worker("f")
        n = w.start_eval("Malt.host.f()")
        w.send(HOST_RESULT, self.called(w)[0], b"\xff")
        with self.assertRaises(RemoteException) as caught:
            w.answer(n)
        self.assertIn("is not the tag of a value", caught.exception.message)
        self.assertEqual(w.eval("1 + 1"), 2)

    def test_arguments_that_cannot_be_sent_are_an_exception(self):
        w = self.worker("f")
        w.eval("struct Bad <: AbstractDict{Int,Int} end; Base.length(::Bad) = 1; Base.iterate(::Bad, s...) = error(\"no way\")")
        self.assertEqual(self.message(w, "Malt.host.f(Bad())"), "no way")
        n = w.start_eval("Malt.host.f(sin)")
        self.give(w, self.called(w)[0], 1)
        self.assertEqual(w.answer(n), 1)

    def test_showing_an_argument_may_call_the_host(self):
        w = self.worker("f", "text")
        w.eval("struct P; x::Int; end; Base.show(io::IO, p::P) = print(io, Malt.host.text(p.x))")
        n = w.start_eval("Malt.host.f(P(7))")
        number, name, arguments, _ = self.called(w)
        self.assertEqual((name, arguments), ("text", (7,)))
        self.give(w, number, "seven")
        number, name, arguments, _ = self.called(w)
        self.assertEqual(name, "f")
        self.give(w, number, 0)
        self.assertEqual(w.answer(n), 0)

    def test_calls_are_answered_in_any_order(self):
        w = self.worker("f")
        calls = [w.start_eval("Malt.host.f(%d) + 1" % i) for i in range(50)]
        arrived = [self.called(w) for _ in calls]
        self.assertEqual([arguments for _, _, arguments, _ in arrived], [(i,) for i in range(50)])
        for number, _, arguments, _ in reversed(arrived):
            self.give(w, number, arguments[0] * 2)
        self.assertEqual([w.answer(n) for n in calls], [2 * i + 1 for i in range(50)])

    def test_tasks_of_the_user_may_call(self):
        w = self.worker("f")
        n = w.start_eval("t = [@async Malt.host.f(i) for i in 1:3]; sum(fetch.(t))")
        for _ in range(3):
            number, _, arguments, _ = self.called(w)
            self.give(w, number, arguments[0] * 100)
        self.assertEqual(w.answer(n), 600)

    def test_tasks_on_other_threads_may_call(self):
        w = self.worker("f", env=dict(os.environ, JULIA_NUM_THREADS="2"))
        self.assertEqual(w.eval("Threads.nthreads()"), 2)
        source = """
            ids = zeros(Int, 200)
            tasks = [Threads.@spawn (ids[i] = Threads.threadid(); Malt.host.f(i)) for i in 1:200]
            sum(fetch.(tasks)), 2 in ids
            """
        n = w.start_eval(source)
        for _ in range(200):
            number, _, arguments, _ = self.called(w)
            self.give(w, number, arguments[0])
        self.assertEqual(w.answer(n), (200 * 201 // 2, True))

    def test_a_call_that_waits_for_the_host_is_interrupted(self):
        w = self.worker("slow")
        for _ in range(20):
            n = w.start_eval("Malt.host.slow()")
            number = self.called(w)[0]
            self.assertEqual(w.interrupt(n), 0)
            with self.assertRaises(RemoteException) as caught:
                w.answer(n)
            self.assertEqual(caught.exception.kind, "InterruptException")
            self.give(w, number, 1)
            self.assertEqual(w.eval("5"), 5)

    def test_a_result_nobody_waits_for_is_dropped(self):
        w = self.worker("f")
        self.give(w, 4711, 1)
        w.send(HOST_RESULT, 4712, b"")
        self.assertEqual(w.eval("5"), 5)

    def test_what_is_no_export_is_refused(self):
        w = self.worker()
        w.eval("[1]")
        for body in (encode(1), encode("f") + encode("g"), b""):
            with self.assertRaises(RemoteException):
                w.answer(w.start(EXPORT, body))
        self.assertFalse(w.eval("isdefined(Main, :Malt)"))

    def test_loggers_of_the_user_do_not_stick_to_the_runtime(self):
        w = self.worker("f")
        n = w.start_eval("using Logging; l = SimpleLogger(devnull); with_logger(() -> [@async Malt.host.f() for i in 1:30], l) .|> fetch; nothing")
        for number in [self.called(w)[0] for _ in range(30)]:
            self.give(w, number, None)
        w.answer(n)
        calls = [w.start_eval("sleep(0.1); current_logger() === l") for _ in range(40)]
        self.assertFalse(any(w.answer(n) for n in calls))

    def test_two_hosts_in_one_process_are_told_apart(self):
        w = self.worker("f")
        w.eval("R = parentmodule(Base.active_repl_backend.backend_task.code); Q = R.Peer(R.Nowhere()); R.export_function!(Q, \"f\", nothing); nothing")
        n = w.start_eval("Malt.host.f(1)")
        self.give(w, self.called(w)[0], "the one whose job it is")
        self.assertEqual(w.answer(n), "the one whose job it is")
        self.assertEqual(w.eval("R.exporter_of(:f) === R.BOOT[1], fetch(@async R.exporter_of(:f) === Q)"), (True, True))
        w.eval("R.end_host_functions!(Q); nothing")
        self.assertEqual(w.eval("fetch(@async R.exporter_of(:f) === R.BOOT[1])"), True)


if __name__ == "__main__":
    unittest.main()
