# SPDX-License-Identifier: MIT
"""Interrupts: exact targets, signals that kill nothing, a stress of random ones."""

import os
import random
import time
import unittest

from malt_protocol import *

ALLOCATING = "s = 0; while true; global s = length(string(s, rand(3))); end"
ROUNDS = int(os.environ.get("MALT_STRESS_ROUNDS", "600"))


class Interrupts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.w = Worker()
        cls.w.eval("[1]")

    @classmethod
    def tearDownClass(cls):
        cls.w.stop()

    def hit(self, number):
        with self.assertRaises(RemoteException) as caught:
            self.w.answer(number)
        self.assertEqual((caught.exception.klass, caught.exception.kind), (1, "InterruptException"))

    def stop_call(self, number):
        """As a host without a judge does, for a call that is the only one outstanding: asks, again where it is late, and sends one signal if nothing
        answers. Returns the acknowledgement and the number of signals."""
        self.w.send(INTERRUPT, number)
        signals = 0
        patience = 0.1
        while True:
            try:
                ack = self.w.expect(lambda k, i: k == ACK and i == number, patience)[2][0]
            except TimeoutError:
                if signals:
                    raise
                self.w.signal()
                signals = 1
                patience = DEADLINE
                continue
            if ack == 2:
                self.w.send(INTERRUPT, number)
                continue
            if signals:
                self.w.send(FENCE, 0)
            return ack, signals

    def test_waiting_calls_are_hit_exactly(self):
        for source in ("sleep(100)", "wait(Condition())", "take!(Channel(0))", "run(`sleep 100`)", "fetch(@async sleep(100))", "while true; sleep(0.01); end", "while true; yield(); end",
                       "lock(ReentrantLock()) do; sleep(100); end", "readline(stdin); sleep(100)"):
            with self.subTest(source):
                other = self.w.start_eval("sleep(0.3); :other")
                n = self.w.start_eval(source)
                self.w.ping()
                self.assertEqual(self.w.interrupt(n), 0)
                self.hit(n)
                self.assertEqual(self.w.answer(other), Symbol("other"))

    def test_a_call_that_has_not_started_is_hit(self):
        for _ in range(20):
            n = self.w.number()
            self.w.send(EVAL, n, encode(None) + encode("never = 1; sleep(100)") + encode(None) * 2)
            self.w.send(INTERRUPT, n)
            self.assertEqual(self.w.expect(lambda k, i: k == ACK and i == n)[2], b"\0")
            self.hit(n)

    def test_who_is_gone_is_not_hit(self):
        self.assertEqual(self.w.interrupt(999999), 1)
        n = self.w.start_eval("1")
        self.w.answer(n)
        self.assertEqual(self.w.interrupt(n), 1)

    def test_user_code_may_catch_it_and_go_on(self):
        n = self.w.start_eval("try; sleep(100); catch e; sleep(0.01); e isa InterruptException; end")
        self.assertEqual(self.w.eval("1"), 1)  # Calls start in their order: that one is in its `try` now.
        self.assertEqual(self.w.interrupt(n), 0)
        self.assertIs(self.w.answer(n), True)

    def test_what_was_sent_while_nobody_looked_is_to_be_asked_again(self):
        for worker in (self.w, Worker()):  # The runtime, the boot.
            with self.subTest(worker is self.w):
                n = worker.start_eval("ccall(:usleep, Cint, (Cuint,), 1_500_000); try; sleep(1); 5; catch; 6; end")
                time.sleep(0.2)
                worker.send(INTERRUPT, n)
                self.assertEqual(worker.expect(lambda k, i: k == ACK and i == n)[2], b"\2")
                self.assertEqual(worker.answer(n), 5)
                worker is self.w or worker.stop()

    def test_busy_code_is_hit_by_a_signal(self):
        for source in (ALLOCATING, "while true; GC.safepoint(); end", "f() = while true; GC.safepoint(); end; f()"):
            with self.subTest(source):
                signals = 0
                while signals == 0:  # A call that has not started yet needs none.
                    n = self.w.start_eval(source)
                    self.pass_time(0.05)
                    ack, signals = self.stop_call(n)
                    self.hit(n)
                self.assertEqual(self.w.eval("1"), 1)

    def test_stray_signals_kill_nothing(self):
        for prepare in ("1", "@async 1", "t = @async sleep(0.05); wait(t)", "[@async(i) for i in 1:3]; nothing", "error(\"x\")", "@async error(\"x\"); yield()"):
            with self.subTest(prepare):
                try:
                    self.w.eval(prepare)
                except RemoteException:
                    pass
                for _ in range(10):
                    self.w.signal()
                    self.w.ping()
                self.w.send(FENCE, 0)
                self.assertEqual(self.w.eval("2"), 2)

    def test_the_fence_keeps_signals_from_the_calls_behind_it(self):
        for _ in range(60):
            self.w.signal()
            self.w.send(FENCE, 0)
            numbers = [self.w.start_eval("sleep(0.0005); %d" % i) for i in range(5)]
            self.assertEqual([self.w.answer(n) for n in numbers], [0, 1, 2, 3, 4])

    def test_signals_before_the_runtime_is_loaded(self):
        w = Worker()
        try:
            w.ping()
            w.signal()
            w.ping()
            self.assertEqual(w.eval("1"), 1)
            w.signal()
            w.send(FENCE, 0)
            self.assertEqual(w.eval("2"), 2)
        finally:
            w.stop()

    def test_a_busy_first_call_is_stopped(self):
        mine, type(self).w = self.w, Worker()
        try:
            for source in (ALLOCATING, "sleep(100)"):
                n = self.w.start_eval(source)
                self.pass_time(0.3)
                self.stop_call(n)
                self.hit(n)
            self.assertEqual(self.w.eval("1"), 1)
        finally:
            self.w.stop()
            type(self).w = mine

    def test_interrupts_at_random_moments(self):
        r = random.Random(20)
        self.interrupted = self.finished = self.signals = 0
        for number in range(1, ROUNDS + 1):
            self.one_random(r, number)
        self.assertEqual(self.w.eval("21 * 2"), 42)
        print("%d interrupts: %d hit, %d ended before, %d signals" % (ROUNDS, self.interrupted, self.finished, self.signals))

    def one_random(self, r, round_number):
        kind = r.random()
        span = r.choice((0, 0.0005, 0.002, 0.005))
        if kind < 0.94:  # others are outstanding: the frame alone
            source = r.choice(("sleep(%g); %d" % (span, round_number), "for i in 1:5; sleep(%g); end; %d" % (span / 5, round_number), "yield(); string(sum(rand(200))); %d" % round_number,
                               "[string(i) for i in 1:300]; sleep(%g); %d" % (span, round_number), "error_or(x) = x; sleep(%g); error_or(%d)" % (span, round_number)))
            bystanders = [self.w.start_eval("sleep(%g); %d" % (span, -i)) for i in range(r.randrange(3))]
            n = self.w.start_eval(source)
            self.pass_time(r.random() * span)
            self.check(n, self.w.interrupt(n), round_number)
            self.assertEqual([self.w.answer(b) for b in bystanders], [-i for i in range(len(bystanders))])
        else:
            busy = r.choice((ALLOCATING, ALLOCATING, "let a = 0.0; for i in 1:%d; a += sin(i); end; end; %d" % (r.randrange(10**6, 3 * 10**7), round_number),
                             "for i in 1:%d; string(i); end; %d" % (r.randrange(10**5, 10**6), round_number)))
            n = self.w.start_eval(busy)
            self.pass_time(r.random() * 0.05)
            ack, signals = self.stop_call(n)
            self.signals += signals
            self.check(n, ack, round_number, signals)
            self.assertEqual(self.w.eval("%d + 1" % round_number), round_number + 1)

    def pass_time(self, seconds):
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self.w.receive(0)

    def check(self, number, ack, value, signals=0):
        try:
            got = self.w.answer(number)
        except RemoteException as e:
            self.assertEqual(e.kind, "InterruptException", e.message)
            self.assertTrue(ack == 0 or signals, "an exception that nobody sent")
            self.interrupted += 1
            return
        self.assertIn(got, (value,))
        self.finished += 1


if __name__ == "__main__":
    unittest.main()
