# SPDX-License-Identifier: MIT
# Makes reprs.txt, from which the tests of the host's printer take what Julia prints:
#   julia --startup-file=no tests/vectors/reprs.jl core/julia/runtime > tests/vectors/reprs.txt
# Each line: expression, bytes of a body that holds its value, what malt_value_to_string() is to give; tabs between them.
# Where Julia 1.5 prints another form than newer versions, the newer one stands here behind `=>`.

struct P
    a
    b
end
struct Point
    x::Float64
    y::Float64
end
struct Tagged
    n::Int32
    flag::Bool
end
struct Empty end
struct Shown
    n::Int
end
Base.show(io::IO, s::Shown) = print(io, "<shown ", s.n, ">")
@enum Fruit apple pear
primitive type Bits24 24 end
f(x) = x

const EXPRESSIONS = Any[
    "nothing", "missing", "true", "false",
    "1", "-1", "typemin(Int64)", "typemax(Int64)", "Int8(-128)", "Int16(300)", "Int32(-7)",
    "0x00", "0x0f", "0x1234", "0x0000000f", "0x000000000000000f", "typemax(UInt64)",
    "typemin(Int128)", "typemax(Int128)", "typemax(UInt128)", "UInt128(1)",
    "1.0", "-0.0", "1.5", "1e5", "123456.0", "999999.9", "1e6", "1234567.0", "1.0e10", "1e-4", "1.0e-5", "0.00012345",
    "NaN", "Inf", "-Inf", "5e-324", "1.7976931348623157e308", "2.0^-1074", "0.1 + 0.2", "1/3", "9007199254740993.0", "1e22", "1e23", "2.0^-44",
    "1.0f0", "1.5f0", "-0.0f0", "1f5", "1f6", "1f-4", "1f-5", "1f10", "0.1f0", "3.4028235f38", "1f-45", "NaN32", "Inf32", "-Inf32", "16777216f0", "33554432f0",
    "Float16(1.5)", "Float16(-0.0)" => "Float16(-0.0)", "Float16(999)", "Float16(1000)", "Float16(65504)", "Float16(6e-8)", "Float16(0.1)", "Float16(1e-4)", "NaN16", "Inf16", "-Inf16",
    "'a'", "'\\n'", "'\\t'", "'\\e'", "'\\0'", "'\\''", "'\\\\'", "'\"'", "'é'", "'€'", "'😀'", "'\\u80'", "'\\x7f'", "'\\u200b'", "'\\U10ffff'", "'\\ud800'",
    "reinterpret(Char, 0xff000000)", "reinterpret(Char, 0xc0800000)", "reinterpret(Char, 0xe2820000)", "reinterpret(Char, 0xed8a8000)", "'\\u2028'",
    "\"\"", "\"abc\"", "\"a\\\"b\"", "\"\\\$x\"", "\"a\\nb\\tc\\\\\"", "\"é€😀\"", "\"\\0\"", "\"\\x001\"", "\"\\e[0m\"", "\"\\x7f\"", "\"\\u80\"", "\"\\u80f\"", "\"\\u200bz\"", "\"\\u200ba\"", "\"\\U10ffff\"",
    "String([0xff, 0x61])", "String([0xe2, 0x82])", "String([0xc0, 0x80])", "String([0xf0, 0x9f, 0x98])", "\"'\"", "\"\\u2028\"", "\"\\a\\b\\f\\v\\r\"",
    ":a", ":abc!", ":_x1", ":α", ":∇f", ":+", ":(.+)", ":(=)", ":(==)", ":(:)", ":(=>)", ":(::)", ":⊗", ":√", ":!", ":in", ":end", ":&&", ":(->)", ":(...)", "Symbol(\"'\")",
    "Symbol(\"a b\")", "Symbol(\"1a\")", "Symbol(\"\")", "Symbol(\"true\")", "Symbol(\"@x\")", "Symbol(\"a\\\"b\")", "Symbol(\"x′\")", "Symbol(\"→\")", "Symbol(\".\")", "Symbol(\"+=\")", "Symbol(\".÷\")", "Symbol(\"€\")", "Symbol(\"∑\")", "Symbol(\"a.b\")", "Symbol(\"\\xff\")" => "Symbol(\"\\xff\")",
    "()", "(1,)", "(1, 2)", "(1, \"x\", :a)", "((1,), (2, 3))", "(1.0f0, 0x01, 'c')",
    "(a = 1,)", "(a = 1, b = \"x\")", "NamedTuple()", "(a = (b = 1f0,), c = nothing)", "NamedTuple{(Symbol(\"a b\"),)}((1,))" => "(var\"a b\" = 1,)", "(α = 1, var\"+\" = 2)" => "(α = 1, + = 2)",
    "1 => 2", "\"a\" => 1", ":a => (1 => 2)", "(1 => 2) => 3", "1 => (a = 1,)", "0x01 => 1f0", "nothing => missing",
    "[1, 2]", "Int64[]", "Int8[1, 2]", "UInt8[1, 255]", "[1.0, 2.5]", "Float32[1, 2.5]", "Float32[NaN, Inf, 1f10]", "Float16[1, 2]", "Bool[1, 0]", "[true]", "Bool[]", "['a', '\\n']", "Char[]", "Int128[1, -1]",
    "Any[1, \"a\"]", "Any[]", "Any[1f0, [1f0], nothing]", "[\"a\", \"b\"]", "String[]", "[:a, :b]", "[nothing]", "[missing]", "[1, missing]" => "Union{Missing, Int64}[1, missing]", "[nothing, 1]" => "Union{Nothing, Int64}[nothing, 1]", "Union{Int, String}[1, \"a\"]" => "Union{Int64, String}[1, \"a\"]",
    "[(1, 2), (3, 4)]", "[(1, 2f0)]" => "Tuple{Int64, Float32}[(1, 2.0)]", "[(1, \"a\")]", "[()]", "[(a = 1, b = 2f0)]" => "NamedTuple{(:a, :b), Tuple{Int64, Float32}}[(a = 1, b = 2.0)]", "[1 => 2, 3 => 4]", "[1 => 2f0]" => "Pair{Int64, Float32}[1 => 2.0]", "Pair[1 => 2]",
    "[[1, 2], [3]]", "[Int8[1]]" => "Vector{Int8}[[1]]", "[[1.0], [2.0]]", "Any[[1], [2]]", "[Any[1]]" => "Vector{Any}[[1]]", "[[[1]]]", "[Int64[], [1]]", "Vector{Int64}[]" => "Vector{Int64}[]", "[String[]]", "[[1 2; 3 4]]" => "[[1 2; 3 4]]", "[Float32[1 2]]" => "Matrix{Float32}[[1.0 2.0]]",
    "[1 2; 3 4]", "[1 2 3]", "Int8[1 2; 3 4]", "[1.0 2.0; 3.0 4.0]", "[\"a\" \"b\"; \"c\" \"d\"]", "Any[1 \"a\"]", "Bool[1 0; 0 1]",
    "reshape([1, 2], 2, 1)" => "[1; 2;;]", "reshape([1], 1, 1)" => "[1;;]",
    "zeros(0, 3)" => "Matrix{Float64}(undef, 0, 3)", "zeros(Int8, 2, 0)" => "Matrix{Int8}(undef, 2, 0)", "zeros(2, 0, 3)" => "Array{Float64, 3}(undef, 2, 0, 3)",
    "reshape(1:8, 2, 2, 2) |> collect" => "[1 3; 2 4;;; 5 7; 6 8]", "reshape(collect(1:4), 2, 1, 2)" => "[1; 2;;; 3; 4]", "reshape(collect(Int8(1):Int8(4)), 2, 2, 1)" => "Int8[1 3; 2 4;;;]", "reshape(collect(1:8), 2, 1, 2, 2)" => "[1; 2;;; 3; 4;;;; 5; 6;;; 7; 8]", "reshape(collect(1:2), 1, 1, 1, 2)" => "[1;;;; 2]", "reshape(collect(1:2), 1, 1, 2, 1)" => "[1;;; 2;;;;]",
    "fill(1)", "fill(1f0)", "fill(\"a\")", "Vector{Any}(undef, 2)", "(a = Vector{String}(undef, 2); a[2] = \"x\"; a)",
    "[1 + 2im, 3 - 4im]" => "Complex{Int64}[1 + 2im, 3 - 4im]", "[1.0 + 2im]" => "ComplexF64[1.0 + 2.0im]", "ComplexF32[1 + 2im]" => "ComplexF32[1.0f0 + 2.0f0im]", "[1//2, 3//4]" => "Rational{Int64}[1//2, 3//4]", "Complex{Rational{Int}}[1//2 + im]" => "Complex{Rational{Int64}}[1//2 + 1//1*im]",
    "[Point(1, 2), Point(3, 4)]", "[Tagged(1, true)]", "Tuple{Tagged, Int8}[(Tagged(1, false), 2)]" => "Tuple{Tagged, Int8}[(Tagged(1, false), 2)]", "[Shown(1)]", "[P(1, 2f0)]", "Tuple{UInt8, Int64}[(1, 2)]" => "Tuple{UInt8, Int64}[(0x01, 2)]", "Point[]",
    "view([1, 2, 3], 2:3)" => "[2, 3]", "BitArray([true, false])" => "Bool[1, 0]", "[1 2; 3 4]'" => "[1 3; 2 4]",
    "Dict(\"a\" => 1)", "Dict{Any, Any}(\"a\" => 1)" => "Dict{Any, Any}(\"a\" => 1)", "Dict{String, Int}()" => "Dict{String, Int64}()", "Dict(1 => 2f0)" => "Dict{Int64, Float32}(1 => 2.0)", "Dict(:a => [1, 2])", "Dict(1 => \"a\")", "Dict{Any, Any}()" => "Dict{Any, Any}()", "Dict(\"a\" => Dict(\"b\" => 1))", "Dict(\"a\" => Dict{String, Any}(\"b\" => 1))" => "Dict{String, Dict{String, Any}}(\"a\" => Dict(\"b\" => 1))", "[Dict(1 => 2)]", "Any[Dict(1 => 2), Dict{Int8, Any}()]" => "Any[Dict(1 => 2), Dict{Int8, Any}()]", "Dict(1 => (2 => 3))", "Dict(1 => nothing)", "IdDict(1 => 2)", "IdDict{Any,Any}(1 => 2)" => "IdDict{Any, Any}(1 => 2)", "Dict{Symbol, Vector{Float32}}(:a => [1])" => "Dict{Symbol, Vector{Float32}}(:a => [1.0])",
    "Set([1])", "Set(Int8[1])", "Set{Int64}()", "Set(Any[1])", "Set([\"a\"])", "[Set([1])]" => "Set{Int64}[Set([1])]", "BitSet([1, 3])",
    "1 + 2im", "1.0 - 2.0im", "1 - 0im", "im", "Complex(true, true)", "Complex(1.0, NaN)", "Complex(NaN, -Inf)", "Complex(1.0, -0.0)", "1f0 + 2f0im", "Complex{Int8}(1, -128)", "1//2 + 3//4*im", "1//2 - 3//4*im", "Complex(0x01, 0x02)", "Complex(Float16(1), Float16(-2))",
    "1//2", "-3//4", "0x01//0x02", "Int8(1)//Int8(3)", "1//0",
    "1:3", "1:0", "1:2:9", "10:-3:1", "0x01:0x03", "Int8(1):Int8(3)", "1.0:0.5:3.0", "0.0:0.1:1.0", "1f0:0.5f0:2f0", "Base.OneTo(4)", "range(0, stop=1, length=5)", "LinRange(0, 1, 5)" => "LinRange{Float64}(0.0, 1.0, 5)", "'a':'e'", "'a':2:'e'", "[1:2, 3:4]" => "UnitRange{Int64}[1:2, 3:4]", "1//2:3//2", "(1:2, 3:4)",
    "P(1, \"x\")", "P(1f0, [1f0])", "Point(1, 2)", "Empty()", "Tagged(1, true)", "Shown(3)", "apple", "(apple, pear)", "P(Shown(1), P(nothing, :a))", "[apple, pear]", "reinterpret(Bits24, (0x01, 0x02, 0x03))" => nothing, "Some(1)", "1:2 => P(1, 2)", "[P(1, 2), P(3, 4)]",
    ":(x + 1)", ":(f(x))", ":(f(x, y; z = 1))", ":(f(x; y))", ":(f(; a...))", ":(f(x, k = 2))", ":(a.b)", ":(a.b.c)", ":((a + b).c)", ":(f.(x, y))", ":(a[1])", ":(a[1, end])", ":(T{Int, S})", ":(a = 1)", ":(a += 1)", ":(a .= b)", ":(x -> x + 1)", ":((x, y) -> x)", ":(x::Int)", ":(::Int)", ":(a && b || c)", ":(a || b && c)", ":(!a)", ":(-a)", ":(-(a + b))", ":(-(1))", ":(-1)",
    ":(a + b * c)", ":((a + b) * c)", ":(a - (b - c))", ":(a - b - c)", ":(a + b + c)", ":(a * b * c)", ":(2x)", ":(2.5x)", ":(0x)" => nothing, ":(2e)" => nothing, ":(a^2)", ":((-1)^2)", ":((-a)^2)", ":(2^-1)", ":(a ÷ b)", ":(a % b)", ":(1:2)", ":(1:2:3)", ":(a < b)", ":(a < b <= c)", ":(a == b)", ":(a => b)", ":(a => (b => c))", ":(a in b)", ":(a ∈ b)", ":(a |> f)", ":(a ⊗ b)", ":(a .+ b)", ":(a ? b : c)", ":(a isa B)",
    ":((1, 2))", ":((1,))", ":((a = 1, b = 2))", ":([1, 2])", ":([1 2; 3 4])", ":([1; 2])", ":(Int[1, 2])", ":(Float64[1 2])", ":({1, 2})" => nothing, ":(\"a\$(x)b\")", ":(\"a\$(x + 1)\")", ":(f(\"a\"))", ":(x')", ":((a + b)')", ":(:a)", ":(a = :b)", ":(f(x...))", ":([x for x in y])", ":([x for x in y if x > 1])", ":(Int[x for x = y])", ":(sum(x for x in y))", ":(T where T)", ":(f(x::T) where T)", ":(f(x::T) where {T, S})", ":(A <: B)", ":(A >: B)", ":(<:B)",
    "quote x end |> Base.remove_linenums!", "quote a = 1; b end |> Base.remove_linenums!", "Expr(:block)", ":(if a; b; end) |> Base.remove_linenums!", ":(if a; b; else; c; end) |> Base.remove_linenums!", ":(if a; b; elseif c; d; else; e; end) |> Base.remove_linenums!" => nothing, ":(for i in 1:3; f(i); end) |> Base.remove_linenums!", ":(for i in 1:3, j in 1:2; f(i); end) |> Base.remove_linenums!", ":(while true; break; end) |> Base.remove_linenums!", ":(while true; continue; end) |> Base.remove_linenums!", ":(function f(x); x; end) |> Base.remove_linenums!", ":(f(x) = x) |> Base.remove_linenums!", ":(let a = 1; a; end) |> Base.remove_linenums!", ":(let a = 1, b = 2; a; end) |> Base.remove_linenums!", ":(begin; a; end) |> Base.remove_linenums!", ":(try; a; catch e; b; end) |> Base.remove_linenums!", ":(try; a; finally; b; end) |> Base.remove_linenums!", ":(struct A; x; y::Int; end) |> Base.remove_linenums!", ":(mutable struct A <: B; x; end) |> Base.remove_linenums!", ":(abstract type A end)", ":(primitive type A 8 end)", ":(map(x) do y; y; end) |> Base.remove_linenums!", ":(f(begin a end)) |> Base.remove_linenums!",
    ":(import A)", ":(using A, B)", ":(using A: b, c)", ":(import A.B)", ":(using ..A)", ":(export a, b)", ":(return x)", ":(return)", ":(const a = 1)", ":(local x)", ":(global x = 1)", ":(local x, y)",
    "Expr(:foo, 1, :a)", "Expr(:call)", "Expr(:(::))", "Expr(:\$, :x)", "Expr(:quote, :(a + b))", "Expr(:tuple)", "Expr(:vect)", "Expr(:string, \"a\")", "Expr(:call, :f, Expr(:parameters, Expr(:kw, :a, 1)))", "QuoteNode(:a)", "QuoteNode(1)", "LineNumberNode(1, :none)", "LineNumberNode(3)", "GlobalRef(Base, :sin)", "Expr(:call, GlobalRef(Base, :sin), 1)", "Expr(:macrocall, Symbol(\"@m\"), LineNumberNode(1, :none), :x)", "Expr(:block, LineNumberNode(1, :none), Expr(:macrocall, Symbol(\"@m\"), LineNumberNode(1, :none), :x, :y))", "Expr(:macrocall, Symbol(\"@m\"), nothing, :x)" => nothing, "Expr(:call, :+, 1)", "Expr(:call, :*, 1)", "Expr(:call, :+, 1, Expr(:..., :x))", "Expr(:call, Expr(:->, :x, :x), 1)", "Expr(:call, :(:), 1, 2)", "Expr(:call, :+, :+, :-)", "Expr(:(=), :a, :(b = c))", "Expr(:call, Symbol(\"a b\"), 1)", "Expr(:ref, :a, :(b + c))", "Expr(:call, :f, [1, 2], \"x\", 1f0, nothing, 'a')", "Expr(:call, sin, 1)", "Expr(:curly, :A, :(<:B))", "Expr(:call, :√, 2)", "Expr(:call, :!, :(a && b))", "Expr(:call, :f, :(a = b))",
    "sin", "Int64", "Main", "Base", "+", "1 => (+)", "[sin, cos]" => nothing, "Vector{Int64}" => "Array{Int64,1}",
    "v\"1.2.3\"", "r\"a+\"i", "1.0 => [1.0, 2.0]", "(1, 2.0, \"three\", :four, '5', [6], (7,), (a = 8,), 9 => 10, nothing)",
]

module Runtime end
for name in ("peer.jl", "types.jl", "encode.jl", "containers.jl")
    Base.include(Runtime, joinpath(abspath(ARGS[1]), name))
end

function body_of(@nospecialize(value))
    encoder = Runtime.Encoder()
    Base.invokelatest(Runtime.reset!, encoder, Runtime.Peer(nothing), nothing)
    Runtime.mask()
    Base.invokelatest(Runtime.put_value!, encoder, value)
    Runtime.unmask()
    isempty(encoder.arrays) || error("large arrays have no place here")
    encoder.bytes[Runtime.HEADER_BYTES + 1:encoder.n]
end

on_one_line(text) = replace(replace(replace(text, "\\" => "\\\\"), "\n" => "\\n"), "\t" => "\\t")

for entry in EXPRESSIONS
    source, newer = entry isa Pair ? entry : (entry, missing)
    newer === nothing && continue      # known to differ, see the comments in malt-print-expr.c
    value = Core.eval(Main, Meta.parse(source))
    text = newer === missing ? repr(value) : newer
    println(on_one_line(source), '\t', bytes2hex(body_of(value)), '\t', on_one_line(text))
end
