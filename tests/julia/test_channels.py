# SPDX-License-Identifier: MIT
"""Channels: pushed while there is credit."""

import unittest

from malt_protocol import *


class Channels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.w = Worker()
        cls.n_channels = 0

    @classmethod
    def tearDownClass(cls):
        cls.w.stop()

    def open(self, source, credit=10, module=None):
        type(self).n_channels += 1
        c = self.n_channels
        self.w.answer(self.w.start(CHANNEL_OPEN, struct.pack("<II", c, credit) + encode(module) + encode(source)))
        return c

    def item(self, channel, timeout=DEADLINE):
        kind, _, body = self.w.expect(lambda k, i: i == channel and k in (CHANNEL_ITEM, CHANNEL_CLOSED), timeout)
        return kind, decode(body)

    def credit(self, channel, n):
        self.w.send(CHANNEL_CREDIT, channel, struct.pack("<I", n))

    def on(self, kind, channel, *value):
        return self.w.start(kind, struct.pack("<I", channel) + b"".join(encode(v) for v in value))

    def nothing_comes(self, channel):
        self.w.ping()
        self.w.eval("yield(); yield()")
        self.assertFalse([f for f in self.w.frames if f[1] == channel and f[0] in (CHANNEL_ITEM, CHANNEL_CLOSED)])

    def test_items_come_in_order_as_far_as_credit_goes(self):
        self.w.eval("c1 = Channel(10); foreach(i -> put!(c1, i), 1:5)")
        c = self.open("c1", 2)
        self.assertEqual([self.item(c), self.item(c)], [(CHANNEL_ITEM, 1), (CHANNEL_ITEM, 2)])
        self.nothing_comes(c)
        self.assertEqual(self.w.answer(self.on(CHANNEL_STATE, c)), (True, 3))
        self.credit(c, 10)
        self.assertEqual([self.item(c)[1] for _ in range(3)], [3, 4, 5])
        self.w.eval("put!(c1, :late)")
        self.assertEqual(self.item(c)[1], Symbol("late"))
        self.assertEqual(self.w.answer(self.on(CHANNEL_STATE, c)), (True, 0))

    def test_closing_is_told_after_the_last_item(self):
        self.w.eval("c2 = Channel(10); put!(c2, 1); close(c2)")
        c = self.open("c2")
        self.assertEqual([self.item(c), self.item(c)], [(CHANNEL_ITEM, 1), (CHANNEL_CLOSED, None)])
        self.assertEqual(self.w.answer(self.on(CHANNEL_STATE, c)), (False, 0))
        with self.assertRaises(RemoteException) as caught:
            self.w.answer(self.on(CHANNEL_PUT, c, 1))
        self.assertEqual(caught.exception.kind, "InvalidStateException")

    def test_an_exception_closes_with_its_text(self):
        c = self.open("Channel(ch -> (put!(ch, 1); error(\"broken pipe\")))")
        self.assertEqual(self.item(c), (CHANNEL_ITEM, 1))
        kind, message = self.item(c)
        self.assertEqual(kind, CHANNEL_CLOSED)
        self.assertIn("broken pipe", message)

    def test_put_and_close(self):
        self.w.eval("c3 = Channel(1); back = []; t3 = @async for x in c3; push!(back, x); end")
        c = self.open("c3", 0)
        for i in range(3):
            self.assertIsNone(self.w.answer(self.on(CHANNEL_PUT, c, i)))
        self.assertIsNone(self.w.answer(self.on(CHANNEL_CLOSE, c)))
        self.assertEqual(self.w.eval("wait(t3); back").items, [0, 1, 2])

    def test_a_put_waits_and_can_be_interrupted(self):
        self.w.eval("c4 = Channel(0)")
        c = self.open("c4", 0)
        n = self.on(CHANNEL_PUT, c, "x")
        self.w.ping()
        self.assertEqual(self.w.interrupt(n), 0)
        with self.assertRaises(RemoteException) as caught:
            self.w.answer(n)
        self.assertEqual(caught.exception.kind, "InterruptException")
        n = self.on(CHANNEL_PUT, c, "y")
        self.credit(c, 1)
        self.assertIsNone(self.w.answer(n))
        self.assertEqual(self.item(c)[1], "y")

    def test_an_unbuffered_channel_is_not_emptied_without_credit(self):
        self.w.eval("c5 = Channel(0); p5 = @async put!(c5, 1)")
        c = self.open("c5", 0)
        self.nothing_comes(c)
        self.assertEqual(self.w.eval("istaskdone(p5)"), False)
        self.assertEqual(self.w.answer(self.on(CHANNEL_STATE, c)), (True, 1))
        self.credit(c, 1)
        self.assertEqual(self.item(c)[1], 1)

    def test_forgetting_takes_nothing_more(self):
        self.w.eval("c6 = Channel(10)")
        c = self.open("c6", 5)
        self.w.ping()
        self.w.send(CHANNEL_FORGET, c)
        self.w.eval("yield(); put!(c6, 9)")
        self.nothing_comes(c)
        self.assertEqual(self.w.eval("take!(c6)"), 9)
        with self.assertRaises(RemoteException):
            self.w.answer(self.on(CHANNEL_STATE, c))

    def test_forgetting_a_channel_that_is_being_opened_takes_nothing(self):
        self.w.eval("c9 = Channel(10); put!(c9, 1); gate9 = Channel(1)")
        for has_begun in (True, False):
            type(self).n_channels += 1
            c = self.n_channels
            n = self.w.start(CHANNEL_OPEN, struct.pack("<II", c, 5) + encode(None) + encode("take!(gate9); c9"))
            if has_begun:
                self.w.ping()
            self.w.send(CHANNEL_FORGET, c)
            self.w.eval("put!(gate9, 1)")
            self.assertIsNone(self.w.answer(n))
            self.nothing_comes(c)
            with self.assertRaises(RemoteException):
                self.w.answer(self.on(CHANNEL_STATE, c))
        self.assertEqual(self.w.eval("take!(c9)"), 1)

    def test_an_item_that_cannot_be_encoded_goes_as_a_handle(self):
        self.w.eval("struct Bad; end; Base.show(io::IO, ::Bad) = error(\"no\"); c7 = Channel(5); put!(c7, Bad()); put!(c7, 2)")
        c = self.open("c7")
        self.assertEqual((type(self.item(c)[1]), self.item(c)[1]), (Handle, 2))

    def test_what_is_no_channel_is_refused(self):
        for source in ("1 + 1", "nothing_there"):
            with self.assertRaises(RemoteException) as caught:
                self.open(source)
            self.assertEqual(caught.exception.klass, 1)
        with self.assertRaises(RemoteException):
            self.w.answer(self.on(CHANNEL_PUT, 9999, 1))

    def test_channels_of_modules_handles_and_remote_channels(self):
        self.w.eval("module Mc; ch = Channel(1); end; put!(Mc.ch, 5)")
        self.assertEqual(self.item(self.open("ch", module="Mc"))[1], 5)
        h = self.w.eval("c8 = Channel(1); put!(c8, 6); c8")
        self.assertEqual(self.item(self.open(h))[1], 6)
        self.w.eval("using Distributed; rc = RemoteChannel(() -> Channel(3)); put!(rc, 7)")
        c = self.open("rc")
        self.assertEqual(self.item(c)[1], 7)
        self.w.answer(self.on(CHANNEL_PUT, c, 8))
        self.assertEqual(self.item(c)[1], 8)

    def test_a_stream_of_many_items(self):
        c = self.open("Channel(ch -> foreach(i -> put!(ch, i), 1:3000))", 100)
        seen = 0
        while True:
            kind, value = self.item(c)
            if kind == CHANNEL_CLOSED:
                break
            seen += 1
            self.assertEqual(value, seen)
            if seen % 50 == 0:
                self.credit(c, 50)
        self.assertEqual(seen, 3000)


if __name__ == "__main__":
    unittest.main()
