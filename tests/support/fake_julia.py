# SPDX-License-Identifier: MIT
"""Stands in the place of the program julia: a worker that speaks the protocol as malt_protocol.py reads it. It evaluates
lines of a word and what it is about: see the methods do_*; a number is itself."""

import os
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "julia"))
import malt_protocol as protocol  # noqa: E402

VERSION = "1.5.3"
FLAG_INTERRUPTED = 1


class Interrupted(Exception):
    pass


def connect(transport, parameter):
    if transport == "fd":
        return socket.socket(fileno=parameter)
    token = sys.stdin.buffer.read(64)
    link = socket.create_connection(("127.0.0.1", parameter))
    link.sendall(token[:32])
    if link.recv(32, socket.MSG_WAITALL) != token[32:]:
        sys.exit(1)
    return link


class FakeJulia:
    def __init__(self, link):
        self.link, self.waiting, self.is_stubborn = link, None, False

    def send(self, kind, number, body=b"", flags=0):
        self.link.sendall(struct.pack("<QIBBH", len(body), number, kind, flags, 0) + body)

    def take(self, n):
        data = self.link.recv(n, socket.MSG_WAITALL)
        if len(data) < n:
            os._exit(0)
        return data

    def answer(self, number, value):
        self.send(protocol.OK, number, protocol.encode(value))

    def throw(self, number, kind, message, flags=0):
        body = b"\1" + b"".join(protocol.encode(s) for s in (kind, message, "Stacktrace:\n [1] top-level scope"))
        self.send(protocol.ERROR, number, body + struct.pack("<I", len(message)), flags)

    def serve(self):
        hello = protocol.MAGIC + struct.pack("<HHI", 1, 0, os.getpid()) + protocol.text(VERSION)
        self.send(0x81, 0, hello)
        while True:
            n, number, kind, flags, _ = struct.unpack("<QIBBH", self.take(16))
            body = self.take(n) if n else b""
            if kind == protocol.EVAL:
                self.evaluate(number, flags, protocol.Decoder(body))
            elif kind == protocol.INTERRUPT:
                self.interrupt(number)
            elif kind == protocol.SHUTDOWN and not self.is_stubborn:
                sys.exit(0)
            elif kind == protocol.EXPORT and not flags:
                self.answer(number, None)
            elif kind == protocol.HOST_RESULT:
                self.answer(self.waiting, protocol.decode(body) if not flags else "refused")

    def evaluate(self, number, flags, body):
        body.value()
        source = body.value()
        word, _, rest = source.partition(" ")
        if word.isdigit():
            self.answer(number, source if flags & 7 == protocol.DISPLAY else int(word))
        else:
            getattr(self, "do_" + word)(number, rest)

    def interrupt(self, number):
        is_hit = number == self.waiting
        self.send(protocol.ACK, number, b"\0" if is_hit else b"\1")
        if is_hit:
            self.throw(number, "InterruptException", "InterruptException:", FLAG_INTERRUPTED)

    def do_throw(self, number, rest):
        self.throw(number, *rest.split(" ", 1))

    def do_print(self, number, rest):
        os.write(1, rest.encode() + b"\n")
        os.write(2, b"error\n")
        self.answer(number, None)

    def do_exit(self, number, rest):
        os.write(2, b"last words\n")
        os._exit(int(rest))

    def do_kill(self, number, rest):
        os.kill(os.getpid(), int(rest))

    def do_wait(self, number, rest):
        self.waiting = number

    def do_spin(self, number, rest):
        """Until a signal comes; the frame of the interrupt is read behind it."""
        try:
            while True:
                pass
        except Interrupted:
            self.throw(number, "InterruptException", "InterruptException:", FLAG_INTERRUPTED)

    def do_stay(self, number, rest):
        self.is_stubborn = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.answer(number, None)

    def do_hang_up(self, number, rest):
        self.link.shutdown(socket.SHUT_RDWR)
        self.link.close()
        time.sleep(100)

    def do_babble(self, number, rest):
        self.link.sendall(b"this is not a frame, and longer than a header")
        time.sleep(100)

    def do_host(self, number, rest):
        name, argument = rest.split(" ")
        self.waiting = number
        self.send(protocol.HOST_CALL, 1, protocol.encode(name) + protocol.encode((int(argument),)) + protocol.encode(None))


def on_interrupt(_signum, _frame):
    raise Interrupted


if __name__ == "__main__":
    own = [word for word in sys.argv[sys.argv.index("--") + 1:] if word != "malt"]  # a name for what -L goes on with
    signal.signal(signal.SIGINT, on_interrupt)
    FakeJulia(connect(own[0], int(own[1]))).serve()
