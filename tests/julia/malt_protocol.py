# SPDX-License-Identifier: MIT
"""A host in Python, for tests of the Julia side: docs/protocol.md read a second time, independently of the C library."""

import collections
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEADLINE = 30.0

HELLO, LOAD, EVAL, CALL, INTERRUPT, PING, FENCE = 1, 2, 3, 4, 5, 6, 7
CHANNEL_OPEN, CHANNEL_CREDIT, CHANNEL_PUT, CHANNEL_CLOSE, CHANNEL_STATE, CHANNEL_FORGET = 8, 9, 10, 11, 12, 13
RELEASE, SHUTDOWN, HOST_RESULT, EXPORT = 14, 15, 16, 17
OK, ERROR, ACK, PONG, CHANNEL_ITEM, CHANNEL_CLOSED, HOST_CALL, LOADING = 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x8a
VALUE, NOTHING, DISPLAY, HANDLE, SILENT = 0, 1, 2, 3, 8
MAGIC = b"MALT\r\n\x1a\0"

Symbol = collections.namedtuple("Symbol", "name")
NamedTuple = collections.namedtuple("NamedTuple", "names values")
Pair = collections.namedtuple("Pair", "first second")
Array = collections.namedtuple("Array", "element dims items")
Dict = collections.namedtuple("Dict", "type pairs")
Set = collections.namedtuple("Set", "type items")
Complex = collections.namedtuple("Complex", "re im")
Rational = collections.namedtuple("Rational", "num den")
Range = collections.namedtuple("Range", "type form first step last length")
Expr = collections.namedtuple("Expr", "head args")
Struct = collections.namedtuple("Struct", "type fields shown")
Primitive = collections.namedtuple("Primitive", "type bytes shown")
Handle = collections.namedtuple("Handle", "id type flags text")
Char = collections.namedtuple("Char", "bits")
Raw = collections.namedtuple("Raw", "bytes")  # an encoded value as it is
Descriptor = collections.namedtuple("Descriptor", "kind flags name names n size layout")


class Missing:
    pass


class Undef:
    pass


MISSING, UNDEF = Missing(), Undef()
INTEGERS = {0x10: (1, True), 0x11: (1, False), 0x12: (2, True), 0x13: (2, False), 0x14: (4, True), 0x15: (4, False),
            0x16: (8, True), 0x17: (8, False), 0x18: (16, True), 0x19: (16, False)}
FLOATS = {0x1a: "<e", 0x1b: "<f", 0x1c: "<d"}


def u64(n):
    return struct.pack("<Q", n)


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return u64(len(b)) + b


def encode(v):
    """The values that tests send."""
    if isinstance(v, Raw):
        return v.bytes
    if v is None:
        return b"\x01"
    if v is MISSING:
        return b"\x02"
    if isinstance(v, bool):
        return b"\x04" if v else b"\x03"
    if isinstance(v, int):
        return b"\x16" + struct.pack("<q", v)
    if isinstance(v, float):
        return b"\x1c" + struct.pack("<d", v)
    if isinstance(v, (str, bytes)):
        return b"\x20" + text(v)
    if isinstance(v, Symbol):
        return b"\x21" + text(v.name)
    if isinstance(v, Expr):
        return b"\x2c" + encode(v.head) + u64(len(v.args)) + b"".join(encode(x) for x in v.args)
    if isinstance(v, Handle):
        return b"\x2f" + u64(v.id) + struct.pack("<I", 0) + b"\x01\0" + text("Any") + struct.pack("<I", 0) + b"\0" + text("")
    if isinstance(v, NamedTuple):
        head = b"\x23" + struct.pack("<I", 0) + b"\x02\0" + text("") + struct.pack("<I", len(v.names))
        return head + b"".join(text(n) for n in v.names) + b"".join(encode(x) for x in v.values)
    if type(v) is tuple:
        return b"\x22" + u64(len(v)) + b"".join(encode(x) for x in v)
    raise TypeError(repr(v))


class Decoder:
    """One body. Every byte must be used."""

    def __init__(self, body):
        self.body, self.at, self.table = memoryview(body), 0, []

    def take(self, n):
        if self.at + n > len(self.body):
            raise ValueError("the body ends within a value")
        piece = self.body[self.at:self.at + n]
        self.at += n
        return bytes(piece)

    def int(self, n, signed=False):
        return int.from_bytes(self.take(n), "little", signed=signed)

    def text(self):
        b = self.take(self.int(8))
        try:
            return b.decode()
        except UnicodeDecodeError:
            return b

    def descriptor(self):
        index = self.int(4)
        if index < len(self.table):
            return self.table[index]
        assert index == len(self.table), "descriptors are numbered in order"
        self.table.append(None)
        kind, flags, name = self.int(1), self.int(1), self.text()
        assert 1 <= kind <= 5 and flags <= 3
        n = self.int(4)
        names = [self.text() for _ in range(n)] if kind in (2, 3) else None
        size, layout = 0, None
        if flags & 1:
            size, alignment = self.int(4), self.int(4)
            assert alignment in (1, 2, 4, 8, 16) and size % alignment == 0
            layout = [(self.int(4), self.element()) for _ in range(n)]
        self.table[index] = Descriptor(kind, flags, name, names, n, size, layout)
        return self.table[index]

    def element(self):
        tag = self.int(1)
        if 0x10 <= tag <= 0x1e:
            return tag
        if tag in (0x29, 0x2a):
            return (tag, self.element())
        assert tag == 0x2e
        d = self.descriptor()
        assert d.kind in (2, 3, 4) and d.flags & 1
        return d

    def size(self, element):
        if isinstance(element, Descriptor):
            return element.size
        if isinstance(element, tuple):
            return 2 * self.size(element[1])
        return {0x1a: 2, 0x1b: 4, 0x1c: 8, 0x1d: 4, 0x1e: 1}.get(element) or INTEGERS[element][0]

    def from_bytes(self, element, b):
        """An element from its memory."""
        if isinstance(element, Descriptor):
            fields = [self.from_bytes(e, b[o:o + self.size(e)]) for o, e in element.layout]
            if element.kind == 4:
                return tuple(fields)
            if element.kind == 2:
                return NamedTuple(tuple(element.names), tuple(fields))
            return Struct(element.name, dict(zip(element.names, fields)), None)
        if isinstance(element, tuple):
            half = len(b) // 2
            return (Complex if element[0] == 0x29 else Rational)(self.from_bytes(element[1], b[:half]), self.from_bytes(element[1], b[half:]))
        if element in INTEGERS:
            return int.from_bytes(b, "little", signed=INTEGERS[element][1])
        if element in FLOATS:
            return struct.unpack(FLOATS[element], b)[0]
        return Char(int.from_bytes(b, "little")) if element == 0x1d else {0: False, 1: True}[b[0]]

    def value(self, undef=False):
        tag = self.int(1)
        if tag in INTEGERS:
            return self.int(*INTEGERS[tag])
        if tag in FLOATS:
            return struct.unpack(FLOATS[tag], self.take(struct.calcsize(FLOATS[tag])))[0]
        simple = {0x01: None, 0x02: MISSING, 0x03: False, 0x04: True}
        if tag in simple:
            return simple[tag]
        if tag == 0x05:
            assert undef, "#undef in a place where it is not valid"
            return UNDEF
        return getattr(self, "value_%02x" % tag)()

    def values(self, n, undef=False):
        return [self.value(undef) for _ in range(n)]

    def value_1d(self):
        return Char(self.int(4))

    def value_20(self):
        return self.text()

    def value_21(self):
        return Symbol(self.text())

    def value_22(self):
        return tuple(self.values(self.int(8)))

    def value_23(self):
        d = self.descriptor()
        assert d.kind == 2
        return NamedTuple(tuple(d.names), tuple(self.values(d.n)))

    def value_24(self):
        return Pair(*self.values(2))

    def dims(self):
        return tuple(self.int(8) for _ in range(self.int(4)))

    def value_25(self):
        element, dims = self.element(), self.dims()
        n = 1
        for k in dims:
            n *= k
        assert not any(self.take(-self.at % 16)), "padding is zero"
        size = self.size(element)
        b = self.take(n * size)
        if n > 10000:
            return Array(element, dims, b)
        return Array(element, dims, [self.from_bytes(element, b[i * size:(i + 1) * size]) for i in range(n)])

    def value_26(self):
        d, dims = self.descriptor(), self.dims()
        assert d.kind == 1
        n = 1
        for k in dims:
            n *= k
        return Array(d.name, dims, self.values(n, True))

    def value_27(self):
        d = self.descriptor()
        n = self.int(8)
        return Dict(d.name, [tuple(self.values(2)) for _ in range(n)])

    def value_28(self):
        d = self.descriptor()
        return Set(d.name, self.values(self.int(8)))

    def value_29(self):
        return Complex(*self.values(2))

    def value_2a(self):
        return Rational(*self.values(2))

    def value_2b(self):
        d = self.descriptor()
        form = self.int(1)
        assert form <= 3
        return Range(d.name, form, *self.values(4))

    def value_2c(self):
        head = self.value()
        return Expr(head, self.values(self.int(8), True))

    def value_2e(self):
        d = self.descriptor()
        assert d.kind in (3, 5)
        body = self.take(d.n) if d.kind == 5 else dict(zip(d.names, self.values(d.n, True)))
        shown = self.text() if d.flags & 2 else None
        return (Primitive if d.kind == 5 else Struct)(d.name, body, shown)

    def value_2f(self):
        number, d = self.int(8), self.descriptor()
        assert d.kind == 1
        return Handle(number, d.name, self.int(1), self.text())

    def done(self):
        assert self.at == len(self.body), "%d bytes are left over" % (len(self.body) - self.at)


def decode(body):
    d = Decoder(body)
    v = d.value()
    d.done()
    return v


class RemoteException(Exception):
    def __init__(self, klass, kind, message, backtrace, before):
        super().__init__("%s: %s" % (kind, message))
        self.klass, self.kind, self.message, self.backtrace = klass, kind, message, backtrace
        self.printed = message if not backtrace else message.encode()[:before].decode() + "\n" + backtrace


def julia():
    path = os.environ.get("MALT_JULIA")
    return path or subprocess.check_output(["sh", os.path.join(ROOT, "core/setup/julia.sh")], text=True).strip()


def cpu_seconds(pid):
    """What a process has used of the processors: unlike time, this is the same on a loaded machine."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def runtime_text(files=("frames.jl", "stream.jl")):
    """The runtime with the files of a transport; one that holds a line break is text itself."""
    folder = os.path.join(ROOT, "core/julia")
    with open(os.path.join(folder, "runtime", "ORDER")) as order:
        names = [os.path.join("runtime", line.strip()) for line in order if line.strip() and not line.startswith("#")]
    parts = []
    for name in [*names, *(file if "\n" in file else os.path.join("transport", file) for file in files)]:
        if "\n" in name:
            parts.append(name.encode())
            continue
        with open(os.path.join(folder, name), "rb") as f:
            parts.append(f.read())
    return b"".join(parts)


def boot_text():
    parts = []
    for path in ["core/julia/start.jl", "core/julia/boot.jl", "backends/malt-process/julia/connect.jl", "core/julia/judge/load.jl",
                 "backends/malt-process/julia/worker.jl"]:
        with open(os.path.join(ROOT, path)) as f:
            parts.append(f.read())
    # As core/link/malt-julia-source.c joins them.
    return 'Core.eval(Module(:Malt, true), Base.parse_input_line("' + re.sub(r'([\\"$])', r"\\\1", "".join(parts)) + '"))\n'


class Worker:
    """A worker process on a socket pair. Frames that belong to nobody who waits are kept until somebody asks."""

    def __init__(self, flags=("--startup-file=no", "--compile=min"), stdout=None, stderr=None, stdin=subprocess.DEVNULL, transport=None, env=None,
                 runtime=None, settings="unknown=1"):
        self.frames, self.buffer, self.next_id = [], b"", 0
        self.runtime, self.settings = runtime or runtime_text(), settings
        if transport is None:
            self.socket, theirs = socket.socketpair()
            arguments, passed = ["fd", "3", "0", "0", "0"], theirs.fileno()
        else:
            arguments, passed = transport, None

        def dup():
            if passed is not None:
                os.dup2(passed, 3)
                os.set_inheritable(3, True)

        self.process = subprocess.Popen([julia(), *flags, "-e", boot_text(), "--", *arguments], stdin=stdin, stdout=stdout, stderr=stderr,
                                        preexec_fn=dup, close_fds=False, env=env)
        if transport is None:
            theirs.close()
            self.begin()

    def begin(self):
        self.socket.setblocking(False)
        self.send(HELLO, 0, MAGIC + struct.pack("<HH", 1, 0) + text("max-frame-bytes=1000000000\n" + self.settings))
        self.send(LOAD, 0, self.runtime)
        kind, _, body = self.expect(lambda k, i: k == 0x81)
        assert body[:8] == MAGIC and body[8:12] == b"\x01\0\0\0"
        self.pid, self.version = struct.unpack_from("<I", body, 12)[0], body[24:].decode()

    def send(self, kind, number, body=b"", flags=0):
        data = memoryview(struct.pack("<QIBBH", len(body), number, kind, flags, 0) + body)
        while data:
            try:
                data = data[self.socket.send(data):]
            except BlockingIOError:
                select.select([], [self.socket], [], DEADLINE)

    def receive(self, timeout):
        """One more frame into self.frames; False when the time is up. EOFError at the end of the stream."""
        until = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 16:
                n, number, kind, flags, zero = struct.unpack_from("<QIBBH", self.buffer)
                assert zero == 0 and 0x81 <= kind <= 0x8a, "bad frame header"
                assert flags == 0 or flags == 1 and kind in (OK, ERROR), "bad flags"
                if len(self.buffer) >= 16 + n:
                    self.frames.append((kind, number, self.buffer[16:16 + n]))
                    self.buffer = self.buffer[16 + n:]
                    return True
                if n > 1 << 16 and len(self.buffer) < 16 + n:
                    return self.receive_large(16 + n)
            rest = until - time.monotonic()
            if rest <= 0 or not select.select([self.socket], [], [], rest)[0]:
                return False
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise EOFError
            self.buffer += piece

    def receive_large(self, total):
        data = bytearray(self.buffer)
        while len(data) < total:
            assert select.select([self.socket], [], [], DEADLINE)[0]
            piece = self.socket.recv(min(1 << 20, total - len(data)))
            if not piece:
                raise EOFError
            data += piece
        number, kind = struct.unpack_from("<IB", data, 8)
        self.frames.append((kind, number, bytes(data[16:])))
        self.buffer = b""
        return True

    def expect(self, want, timeout=DEADLINE):
        until = time.monotonic() + timeout
        while True:
            for i, (kind, number, body) in enumerate(self.frames):
                if want(kind, number):
                    return self.frames.pop(i)
            if not self.receive(max(0, until - time.monotonic())):
                raise TimeoutError("no answer in %g s" % timeout)

    def number(self):
        self.next_id += 1
        return self.next_id

    def start(self, kind, body, flags=0):
        n = self.number()
        self.send(kind, n, body, flags)
        return n

    def answer(self, number, timeout=DEADLINE):
        kind, _, body = self.expect(lambda k, i: i == number and k in (OK, ERROR), timeout)
        if kind == OK:
            return decode(body)
        d = Decoder(body)
        e = RemoteException(d.int(1), d.value(), d.value(), d.value(), d.int(4))
        d.done()
        raise e

    def start_eval(self, source, flags=0, module=None, file=None, display=None):
        return self.start(EVAL, encode(module) + encode(source) + encode(file) + encode(display), flags)

    def eval(self, *args, **kwargs):
        return self.answer(self.start_eval(*args, **kwargs))

    def show(self, source, display=None):
        return self.eval(source, DISPLAY, display=display)

    def start_call(self, f, *args, module=None, flags=0, display=None, **kwargs):
        named = NamedTuple(tuple(kwargs), tuple(kwargs.values())) if kwargs else None
        return self.start(CALL, encode(f) + encode(args) + encode(named) + encode(module) + encode(display), flags)

    def call(self, f, *args, **kwargs):
        return self.answer(self.start_call(f, *args, **kwargs))

    def ping(self):
        n = self.number()
        self.send(PING, n)
        self.expect(lambda k, i: k == PONG and i == n)

    def interrupt(self, number, timeout=DEADLINE):
        """Asks again if the worker has not looked for long."""
        ack = 2
        while ack == 2:
            self.send(INTERRUPT, number)
            ack = self.expect(lambda k, i: k == ACK and i == number, timeout)[2][0]
        return ack

    def stop(self):
        """Ends it by the end of the stream; returns its status."""
        self.socket.close()
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:
            return None  # busy code does not see the end of the stream
        finally:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdout, self.process.stderr, self.process.stdin):
                if stream:
                    stream.close()

    def signal(self):
        os.kill(self.pid, signal.SIGINT)
