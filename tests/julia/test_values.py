# SPDX-License-Identifier: MIT
"""Values in both directions, and the vectors."""

import math
import os
import struct
import unittest

from malt_protocol import *


N_DROPPED = 24     # in which the old way made eight full collections on Julia 1.12


class Values(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.w = Worker()
        with open(os.path.join(ROOT, "tests/vectors/vectors.txt")) as f:
            lines = [line.rstrip("\n") for line in f]
        cls.vectors_head = "\n".join(line for line in lines if line.startswith("#"))
        cls.vectors = [(line.split("\t")[0], bytes.fromhex(line.split("\t")[2])) for line in lines if not line.startswith("#")]

    @classmethod
    def tearDownClass(cls):
        cls.w.stop()

    def test_vectors_decode_completely(self):
        for name, body in self.vectors:
            with self.subTest(name):
                decode(body)
        self.assertGreaterEqual(len(self.vectors), 120)

    def test_every_vector_comes_back_as_the_same_bytes(self):
        if "# julia %s:" % self.w.version not in self.vectors_head:
            self.skipTest("written by another Julia, which names types otherwise")
        # The types and objects of these are not in this worker.
        foreign = ("handle", "cycle", "deep_70", "struct", "array_", "enum", "primitive", "matrix_points", "mixed", "descriptor")
        for name, body in self.vectors:
            if name.startswith(foreign):
                continue
            with self.subTest(name):
                # Padding counts from the start of the body: 32 bytes stand before this value.
                n = self.w.start(CALL, encode("identity      ") + b"\x22" + u64(1) + body + encode(None) * 3)
                _, _, back = self.w.expect(lambda k, i: i == n)
                self.assertEqual(decode(back).__repr__(), decode(body).__repr__())

    def test_scalars(self):
        for source, value in (("nothing", None), ("missing", MISSING), ("true", True), ("Int8(-3)", -3), ("0xff", 255), ("typemax(UInt128)", 2**128 - 1),
                              ("typemin(Int128)", -2**127), ("1.5", 1.5), ("2.5f0", 2.5), ("Float16(0.5)", 0.5), ("\"a\\0ż\"", "a\0ż"), (":a", Symbol("a")),
                              ("'a'", Char(0x61000000)), ("1//2", Rational(1, 2)), ("1 + 2im", Complex(1, 2)), ("(1, :b)", (1, Symbol("b"))), ("1 => 2", Pair(1, 2)),
                              ("(a = 1, b = nothing)", NamedTuple(("a", "b"), (1, None)))):
            with self.subTest(source):
                self.assertEqual(self.w.eval(source), value)
        self.assertTrue(math.isnan(self.w.eval("NaN")))
        self.assertEqual(struct.pack("<d", self.w.eval("-0.0")), struct.pack("<d", -0.0))

    def test_arrays(self):
        self.assertEqual(self.w.eval("[1 2; 3 4]"), Array(0x16, (2, 2), [1, 3, 2, 4]))
        self.assertEqual(self.w.eval("fill(1.0)"), Array(0x1c, (), [1.0]))
        self.assertEqual(self.w.eval("zeros(Int32, 0, 2)"), Array(0x14, (0, 2), []))
        self.assertEqual(self.w.eval("[true, false]"), Array(0x1e, (2,), [True, False]))
        self.assertEqual(self.w.eval("Any[1, \"a\"]"), Array("Any", (2,), [1, "a"]))
        self.assertEqual(self.w.eval("Vector{Any}(undef, 2)").items, [UNDEF, UNDEF])
        self.assertEqual(self.w.eval("view([1, 2, 3], 2:3)"), Array(0x16, (2,), [2, 3]))
        self.assertEqual(self.w.eval("[1, missing]").items, [1, MISSING])
        self.assertEqual(self.w.eval("Vector{Int}[[1], []]").items, [Array(0x16, (1,), [1]), Array(0x16, (0,), [])])
        self.assertEqual(self.w.eval("zeros(fill(1, 33)...)").flags, 0, "more dimensions than a message has")

    def test_large_arrays_are_intact_in_both_directions(self):
        big = self.w.eval("large = collect(1:500_000)")
        self.assertEqual(big.items, b"".join(struct.pack("<q", i) for i in range(1, 500001)))
        self.assertEqual(self.w.eval("(\"x\", large, 1, large)")[1:3], (big, 1))
        data = os.urandom(1 << 20) * 4
        head = encode("x -> (global got = x; length(x))") + b"\x22" + u64(1) + b"\x25\x11" + struct.pack("<IQ", 1, len(data))
        body = head + bytes(-len(head) % 16) + data + encode(None) * 3
        self.assertEqual(self.w.answer(self.w.start(CALL, body)), len(data))
        self.assertEqual(self.w.eval("got").items, data)
        self.assertEqual(self.w.call("s -> (global text = s; sizeof(s))", "ż" * 1000000), 2000000)
        self.assertEqual(self.w.eval("text"), "ż" * 1000000)

    def test_large_arrays_that_are_dropped_cost_no_full_collection(self):
        data = bytes(16 << 20)
        head = encode("length") + b"\x22" + u64(1) + b"\x25\x11" + struct.pack("<IQ", 1, len(data))
        body = head + bytes(-len(head) % 16) + data + encode(None) * 3
        resident = "parse(Int, split(read(\"/proc/self/statm\", String))[2]) * 4 ÷ 1024"
        self.w.eval("GC.gc(); before = Base.gc_num().full_sweep; largest = %s; nothing" % resident)
        for _ in range(N_DROPPED):
            self.assertEqual(self.w.answer(self.w.start(CALL, body)), len(data))
            self.w.eval("global largest = max(largest, %s); nothing" % resident)
        self.assertLessEqual(self.w.eval("Base.gc_num().full_sweep - before"), N_DROPPED // 8)
        self.assertLessEqual(self.w.eval("largest"), 512)

    def test_containers(self):
        self.assertEqual(self.w.eval("Dict(:a => 1)").pairs, [(Symbol("a"), 1)])
        self.assertEqual(sorted(self.w.eval("Set([1, 2])").items), [1, 2])
        self.assertEqual(self.w.eval("BitSet([3])").items, [3])
        self.assertEqual(self.w.eval("1:2:9")[1:], (1, 1, 2, 9, 5))
        self.assertEqual(self.w.eval("Base.OneTo(3)")[1:], (3, 1, 1, 3, 3))
        self.assertEqual(self.w.eval(":(a + 1)"), Expr(Symbol("call"), [Symbol("+"), Symbol("a"), 1]))
        pairs = self.w.eval("Dict(i => string(i) for i in 1:1000)").pairs
        self.assertEqual(dict(pairs), {i: str(i) for i in range(1, 1001)})

    def test_structs(self):
        self.w.eval("struct P; a; b; end")
        self.assertEqual(self.w.eval("P(1, \"x\")"), Struct("P", {"a": 1, "b": "x"}, None))
        self.w.eval("Base.show(io::IO, p::P) = print(io, \"<\", p.a, \">\")")
        self.assertEqual(self.w.eval("P(1, \"x\")").shown, "<1>", "a show that was defined later")
        self.w.eval("struct V; x::Float64; n::Int8; end")
        self.assertEqual(self.w.eval("[V(1, 2), V(3, 4)]").items[1], Struct("V", {"x": 3.0, "n": 4}, None))
        self.assertEqual(len(self.w.eval("[V(i, 1) for i in 1:5000]").items), 5000)
        self.w.eval("@enum Fruit apple pear")
        self.assertEqual(self.w.eval("pear"), Primitive("Fruit", b"\1\0\0\0", "pear"))
        self.assertEqual(self.w.eval("[apple, pear]").items[0].shown, "apple")
        self.w.eval("struct Half; a; b; Half() = new(1); end")
        self.assertEqual(self.w.eval("Half()").fields, {"a": 1, "b": UNDEF})
        self.assertEqual(self.w.eval("module Inner; struct Q; end; end; Inner.Q()").type, "Main.Inner.Q" if self.w.version.startswith("1.5") else self.w.eval("string(Inner.Q)"))

    def test_long_texts_are_cut(self):
        self.w.eval("struct Long; end; Base.show(io::IO, ::Long) = print(io, \"ż\"^5000)")
        shown = self.w.eval("Long()").shown
        self.assertLessEqual(len(shown.encode()), 4096)
        self.assertTrue(shown.endswith("ż…"))

    def test_handles(self):
        h = self.w.eval("sin")
        self.assertEqual((h.flags, h.text), (1, "sin"))
        self.assertEqual(self.w.call(h, 0.0), 0.0)
        self.assertEqual(self.w.eval("Int").flags, 3)
        self.assertEqual(self.w.eval("Base").flags, 4)
        self.assertEqual(self.w.eval("big(2)^70").text, "1180591620717411303424")
        r = self.w.eval("Ref(5)")
        self.assertEqual(self.w.call("getindex", r), 5)
        self.assertEqual(self.w.call("(r, x) -> (r[] = x; nothing)", r, 6), None)
        self.assertEqual(self.w.call("getindex", r), 6)
        self.assertIsInstance(self.w.eval("[1, 2]", HANDLE), Handle)
        self.w.send(RELEASE, 0, u64(r.id) + u64(h.id))
        with self.assertRaises(RemoteException) as caught:
            self.w.call("getindex", r)
        self.assertEqual(caught.exception.klass, 3)

    def test_released_objects_are_freed(self):
        h = self.w.eval("mutable struct Tracked; end; gone = 0; finalizer(_ -> (global gone += 1), Tracked())")
        self.w.eval("GC.gc()")
        self.assertEqual(self.w.eval("gone"), 0)
        self.w.send(RELEASE, 0, u64(h.id))
        for _ in range(20):
            self.w.eval("GC.gc(); nothing")
            if self.w.eval("gone") == 1:
                return
        self.fail("the object is still held")

    def test_cycles_and_depth(self):
        a = self.w.eval("a = Any[1, nothing]; a[2] = a; a")
        self.assertIsInstance(a.items[1], Handle)
        d = self.w.eval("d = Dict{Symbol,Any}(); d[:me] = d; d")
        self.assertIsInstance(d.pairs[0][1], Handle)
        self.assertEqual(self.w.eval("e = Expr(:block); push!(e.args, e); e").args[0].type, "Expr")
        deep = self.w.eval("foldl((x, _) -> (x,), 1:1000; init = ())")
        n = 0
        while type(deep) is tuple:
            deep, n = deep[0], n + 1
        self.assertEqual((n, type(deep)), (64, Handle))

    def test_a_value_that_cannot_be_encoded_is_an_error_of_that_call(self):
        self.w.eval("struct Bad; end; Base.show(io::IO, ::Bad) = error(\"no show\")")
        for source in ("Bad()", "[1, Bad()]", "(sin, Bad())"):
            with self.subTest(source), self.assertRaises(RemoteException) as caught:
                self.w.eval(source)
            self.assertEqual((caught.exception.klass, caught.exception.message), (2, "no show"))
        self.w.eval("struct BadDict <: AbstractDict{Int,Int}; end; Base.length(::BadDict) = 1; Base.iterate(::BadDict, s...) = error(\"no items\")")
        with self.assertRaises(RemoteException) as caught:
            self.w.eval("BadDict()")
        self.assertEqual((caught.exception.klass, caught.exception.message), (2, "no items"))
        self.assertEqual(self.w.eval("1"), 1)

    def test_user_containers_are_containers(self):
        self.w.eval("struct MyDict <: AbstractDict{Symbol,Int}; end; Base.length(::MyDict) = 1; Base.iterate(::MyDict, s = 1) = s > 1 ? nothing : (:a => 5, 2)")
        self.assertEqual(self.w.eval("MyDict()").pairs, [(Symbol("a"), 5)])
        self.w.eval("struct MyString <: AbstractString; end; Base.String(::MyString) = \"mine\"")
        self.assertEqual(self.w.eval("MyString()"), "mine")

    def test_everything_strange_is_something(self):
        for source in ("stdout", "Main", "Task(() -> 1)", "methods(sin)", "ENV", "Channel(1)", "r\"a\"", "Ref{Any}()", "Base.Iterators.Pairs", "Core.svec(1, 2)", "Union{}",
                       "TypeVar(:T)", "Vector{T} where T", "first(methods(sin))", "code_lowered(identity, (Int,))[1]", "pairs((a = 1,))", "keys(Dict(1 => 2))", "(i for i in 1:2)",
                       "Base.Threads.Atomic{Int}(1)", "IOBuffer()", "@timed(1)", "Base.ImmutableDict(1 => 2)", "try error() catch e; e end", "WeakRef([1])", "C_NULL",
                       "QuoteNode(:(a + b))", "GlobalRef(Main, :x)", "Some(1)", "nothing => missing", "x -> x", "Base.ReinterpretArray", "v\"1.2\"", "1.0:0.1:2.0", "reinterpret(Char, 0xff000000)"):
            with self.subTest(source):
                self.w.eval(source)

    def test_failed_encoding_leaves_no_handles(self):
        self.w.eval("mutable struct Left; end; left = 0; struct Bad2; end; Base.show(io::IO, ::Bad2) = error(\"no\")")
        with self.assertRaises(RemoteException):
            self.w.eval("(finalizer(_ -> (global left += 1), Left()), Bad2())")
        for _ in range(20):
            self.w.eval("GC.gc(); nothing")
            if self.w.eval("left") == 1:
                return
        self.fail("the object of the failed answer is still held")


if __name__ == "__main__":
    unittest.main()
