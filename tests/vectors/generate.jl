# SPDX-License-Identifier: MIT
# Test vectors of the payload encoding: julia tests/vectors/generate.jl [--check]
#
# Writes vectors.txt: a line for each value, `name<TAB>julia expression<TAB>hex of the one-value body`. With --check it reads the file
# instead: what the hex decodes to must be the expression's value, and encode to the same bytes again. Where another Julia names a type
# otherwise or orders a dictionary otherwise than the one that wrote the file, its own bytes are checked for the round trip alone.

module Runtime
const SOURCES = joinpath(@__DIR__, "..", "..", "core", "julia", "runtime")
# Whatever names the boot of a transport defines for it.
const HEAD = UInt8[]; const NOBODY = UInt64(0); const JOB = Any[NOBODY, "", true, nothing, false]
const STATE = Any["", 0, "", 0, 0]; const TRANSPORT = "none"; const PARAMETER = 0; const LINK = nothing
leave() = exit(1)
function serve end
function finish_boot end
function warm end
for name in readlines(joinpath(SOURCES, "ORDER"))
    startswith(name, "#") || Base.include(Runtime, joinpath(SOURCES, name))
end
end

# Types that the expressions use.
struct Empty end
struct Point; x::Float64; y::Float64; end
struct Mixed; a::Int8; b::Int32; c::UInt16; d::Bool; e::Char; end
struct Nested; p::Point; z::Complex{Float32}; t::Tuple{Int8,Int64}; end
struct Loose; a; b; end
struct Shown; n::Int; end
Base.show(io::IO, s::Shown) = print(io, "<", s.n, ">")
struct ShownBits; n::Int16; end
Base.show(io::IO, s::ShownBits) = print(io, "bits ", s.n)
struct Partial; a; b; Partial(a) = new(a); end
struct Param{T,N}; v::NTuple{N,T}; end
struct Wide; text::String; Wide(n) = new("x"^n); end
Base.show(io::IO, w::Wide) = print(io, w.text)
mutable struct Mutable; a; end
primitive type Bits24 24 end
Bits24(n) = Core.Intrinsics.trunc_int(Bits24, UInt32(n))
@enum Fruit apple = 1 pear = 7
@enum Small::UInt8 one two
baremodule Sub struct Inner; a; end end
undefs(n...) = Array{Any}(undef, n...)
function partly(); a = undefs(3); a[2] = 1; a; end
function itself(); a = Any[1, nothing]; a[2] = a; a; end
function dict_in_itself(); d = Dict{Symbol,Any}(); d[:me] = d; d; end
deep(n) = n == 0 ? 0 : (deep(n - 1),)
malformed(n) = reinterpret(Char, UInt32(n))

# The same array with zeros in the bytes between the fields, which Julia leaves as they happen to be.
function clean(a::Array)
    b = similar(a)
    GC.@preserve b begin
        ccall(:memset, Ptr{Cvoid}, (Ptr{Cvoid}, Cint, Csize_t), pointer(b), 0, sizeof(b))
        for i in 1:length(a)
            store_fields(Ptr{UInt8}(pointer(b, i)), a[i])
        end
    end
    b
end
function store_fields(p::Ptr{UInt8}, x)
    nfields(x) == 0 && return unsafe_store!(Ptr{typeof(x)}(p), x)
    for i in 1:nfields(x)
        store_fields(p + fieldoffset(typeof(x), i), getfield(x, i))
    end
end

const LIST = [
    "nothing" => "nothing", "missing" => "missing", "false" => "false", "true" => "true",
    "int8" => "Int8(-5)", "int8_min" => "typemin(Int8)", "uint8" => "0xfe", "int16" => "Int16(-300)", "uint16" => "0xfedc",
    "int32" => "Int32(-70000)", "int32_max" => "typemax(Int32)", "uint32" => "0xfedcba98", "int64" => "42", "int64_negative" => "-1",
    "int64_min" => "typemin(Int64)", "int64_max" => "typemax(Int64)", "uint64" => "0xfedcba9876543210", "uint64_max" => "typemax(UInt64)",
    "int128" => "Int128(-1) << 70", "int128_min" => "typemin(Int128)", "int128_max" => "typemax(Int128)",
    "uint128" => "UInt128(1) << 127", "uint128_max" => "typemax(UInt128)",
    "float16" => "Float16(1.5)", "float16_nan" => "Float16(NaN)", "float32" => "1.5f0", "float32_max" => "floatmax(Float32)",
    "float64" => "3.141592653589793", "float64_negative_zero" => "-0.0", "float64_nan" => "NaN", "float64_inf" => "-Inf",
    "float64_tiny" => "5.0e-324", "float64_integral" => "1.0e16",
    "char" => "'a'", "char_two_bytes" => "'é'", "char_three_bytes" => "'€'", "char_four_bytes" => "'😀'", "char_nul" => "'\\0'", "char_quote" => "'\\''",
    "char_malformed" => "malformed(0xff000000)", "char_overlong" => "malformed(0xc0800000)", "char_surrogate" => "'\\ud800'",
    "string" => "\"hello\"", "string_empty" => "\"\"", "string_unicode" => "\"żółw 😀\"", "string_nul" => "\"a\\0b\"", "string_escapes" => "\"tab\\t quote\\\" dollar\\\$\"",
    "string_invalid" => "String([0xff, 0x41, 0xc3])", "string_long" => "\"ab\"^200", "substring" => "SubString(\"hello\", 2, 4)",
    "symbol" => ":abc", "symbol_operator" => ":+", "symbol_odd" => "Symbol(\"a b\")", "symbol_empty" => "Symbol(\"\")", "symbol_unicode" => ":α",
    "tuple_empty" => "()", "tuple_one" => "(1,)", "tuple" => "(1, \"a\", nothing)", "tuple_nested" => "((1, 2), (3.0,))",
    "named_tuple" => "(a = 1, b = \"x\")", "named_tuple_empty" => "NamedTuple()", "named_tuple_twice" => "[(a = 1, b = nothing), (a = missing, b = 2)]",
    "pair" => ":a => 1", "pair_nested" => "1 => (2 => 3)",
    "array_int8" => "Int8[1, -1]", "array_uint8" => "UInt8[0, 255]", "array_int16" => "Int16[1, -1]", "array_uint16" => "UInt16[1, 65535]",
    "array_int32" => "Int32[1, -1]", "array_uint32" => "UInt32[1, 2]", "array_int64" => "[1, 2, 3]", "array_uint64" => "UInt64[1, 2]",
    "array_int128" => "Int128[1, -1]", "array_uint128" => "UInt128[1]", "array_float16" => "Float16[1, -0.0]", "array_float32" => "Float32[1.5, NaN]",
    "array_float64" => "[1.5, -0.0, NaN, Inf]", "array_bool" => "[true, false, true]", "array_char" => "['a', 'é', '😀']",
    "array_complex" => "[1.0 + 2.0im, -im]", "array_complex_int" => "Complex{Int8}[1 + 2im]", "array_rational" => "[1//2, -3//1]", "array_complex_bool" => "[im]",
    "array_empty" => "Int64[]", "array_empty_any" => "Any[]", "array_empty_string" => "String[]", "matrix" => "[1 2 3; 4 5 6]", "matrix_float" => "[1.0 2.0; 3.0 4.0]",
    "array_3d" => "reshape(collect(1:8), 2, 2, 2)", "array_0d" => "fill(7)", "array_0d_any" => "fill!(undefs(), 7)", "matrix_empty" => "zeros(0, 3)", "array_4d_empty" => "zeros(Int8, 2, 0, 1, 3)",
    "array_any" => "Any[1, \"a\", nothing]", "array_string" => "[\"a\", \"\", \"ccc\"]", "array_symbol" => "[:a, :b]", "array_union" => "[1, missing, 3]",
    "array_nothing" => "[nothing, nothing]", "array_of_arrays" => "[[1, 2], [3]]", "matrix_any" => "Any[1 \"b\"; :c 4.0]", "array_tuples_loose" => "Any[(1,), (2, 3)]",
    "array_undef" => "undefs(2)", "array_partly_undef" => "partly()", "array_number" => "Number[1, 2.0, 3//1]", "array_real_matrix" => "Real[1 2.0]",
    "array_tuples" => "[(1, 2.0), (3, 4.0)]", "array_named_tuples" => "clean([(a = Int8(1), b = 2), (a = Int8(3), b = 4)])", "array_pairs" => "[1 => 2, 3 => 4]",
    "array_points" => "[Point(1, 2), Point(3, 4)]", "array_mixed" => "clean([Mixed(1, 2, 3, true, 'x')])", "array_nested" => "clean([Nested(Point(1, 2), 3 + 4im, (5, 6))])", "array_points_empty" => "Point[]",
    "matrix_points" => "[Point(i, j) for i in 1:2, j in 1:2]", "array_nested_tuples" => "clean([((Int8(1), 2), 3.0f0)])", "array_loose" => "[Loose(1, \"a\"), Loose(nothing, 2)]",
    "array_enum" => "[apple, pear]", "array_shown" => "[ShownBits(1), ShownBits(2)]", "array_empty_structs" => "[Empty(), Empty()]", "array_two_layouts" => "([Point(1, 2)], clean([Nested(Point(1, 2), 3, (5, 6))]), [Point(3, 4)])",
    "dict" => "Dict(:a => 1)", "dict_empty" => "Dict{Any,Any}()", "dict_string_any" => "Dict{String,Any}(\"k\" => [1, 2])", "dict_nested" => "Dict(1 => Dict(2 => 3))", "id_dict" => "IdDict(:a => 1)",
    "dict_named_tuple" => "Dict(:x => (a = 1, b = 2))", "set" => "Set([1])", "set_empty" => "Set{String}()", "set_any" => "Set{Any}([\"x\"])", "bit_set" => "BitSet([1, 5, 300])",
    "complex" => "1.5 - 2.0im", "complex_int" => "3 + 4im", "complex_bool" => "im", "complex_float32" => "ComplexF32(1, -0.0)", "rational" => "3//4", "rational_negative" => "-1//2", "rational_inf" => "1//0", "rational_int8" => "Int8(1)//Int8(3)",
    "range_unit" => "1:10", "range_unit_empty" => "1:0", "range_unit_int8" => "Int8(1):Int8(3)", "range_unit_char" => "'a':'e'", "range_step" => "1:2:9", "range_step_down" => "10:-3:1", "range_float" => "0.1:0.1:0.5", "range_float_unit" => "1.0:3.0",
    "range_lin" => "LinRange(0.0, 1.0, 5)", "range_lin_one" => "LinRange(2.0, 2.0, 1)", "range_one_to" => "Base.OneTo(4)", "range_length" => "range(0, stop = 1, length = 7)", "range_rational" => "1//2:1//2:2//1",
    "expr" => ":(a + b)", "expr_nested" => ":(f(x, y...; k = 1))", "expr_block" => "Expr(:block, :x, 1, nothing, \"s\")", "expr_empty" => "Expr(:tuple)", "quote_node" => "QuoteNode(:a)", "line_number_node" => "LineNumberNode(3, :file)", "expr_quote_node" => ":(a.b)",
    "struct_empty" => "Empty()", "struct_point" => "Point(1, -0.0)", "struct_loose" => "Loose([1], :b)", "struct_nested" => "Loose(Loose(1, 2), Loose(Point(3, 4), nothing))", "struct_partly_undef" => "Partial(1)", "struct_parametric" => "Param((1, 2, 3))", "struct_in_module" => "Sub.Inner(1)",
    "struct_shown" => "Shown(7)", "struct_shown_twice" => "(Shown(1), Shown(2))", "struct_shown_long" => "Wide(5000)", "some" => "Some(nothing)", "val" => "Val(3)", "version" => "v\"1.2.3-rc1\"", "ptr" => "Ptr{UInt8}(16)", "enum" => "pear", "enum_small" => "two", "primitive" => "Bits24(0x010203)", "cartesian" => "CartesianIndex(1, 2)",
    "view" => "view([1, 2, 3, 4], 2:3)", "view_matrix" => "view([1 2; 3 4], :, 2)", "reshaped" => "reshape(view([1, 2, 3, 4], 1:4), 2, 2)", "adjoint" => "[1 2; 3 4]'", "transpose_vector" => "transpose([1, 2])", "adjoint_any" => "permutedims(Any[1, \"a\"])", "permuted" => "PermutedDimsArray([1 2; 3 4], (2, 1))", "reinterpreted" => "reinterpret(UInt8, [0x0102])", "bit_vector" => "trues(3)", "bit_matrix" => "BitArray([true false; false true])", "code_units" => "codeunits(\"ab\")", "view_strings" => "view([\"a\", \"b\"], 2:2)",
    "handle_function" => "sin", "handle_operator" => "+", "handle_type" => "Int64", "handle_union_all" => "Vector", "handle_module" => "Base", "handle_mutable" => "Mutable(1)", "handle_big" => "big(2)^100", "handle_big_float" => "big(1.5)", "handle_ref" => "Ref(1)", "handle_regex" => "r\"a+\"", "handles_two" => "(sin, sin)",
    "cycle_array" => "itself()", "cycle_dict" => "dict_in_itself()", "deep_63" => "deep(63)", "deep_70" => "deep(70)",
    "mixed_everything" => "(1, :a, \"s\", [1.0], Dict(:k => (x = 1,)), Point(1, 2), 1:3, nothing, Any[missing, [1 2]])",
    "descriptor_reuse" => "Any[Point(1, 2), Loose(Point(3, 4), Shown(1)), Point(5, 6), (a = 1,), (a = 2,)]",
    "padding" => "(\"abcdefg\", [1.0], 0x01, [2.0 3.0])",
]

# One value, as the body of a message.
function encode(peer, @nospecialize(x))
    e = Runtime.Encoder()
    Runtime.reset!(e, peer, nothing)
    Runtime.mask()
    Base.invokelatest(Runtime.put_value!, e, x)
    Runtime.unmask()
    body = e.bytes[Runtime.HEADER_BYTES + 1:e.n]
    isempty(e.arrays) || error("a vector is that large?")
    body
end
function decode(peer, body::Vector{UInt8})
    source = Runtime.Source(nothing, copy(body), length(body))
    source.stop = length(body)
    x = Base.invokelatest(Runtime.get_value!, Runtime.Decoder(source, peer))
    Runtime.left(source) == 0 || error("bytes are left over")
    x
end

# Whether a value came back as itself, or as what it is sent as.
function same(@nospecialize(a), @nospecialize(b), depth = 0)
    depth > 100 && return true
    a === b && return true
    a isa AbstractString && return b isa String && codeunits(String(a)) == codeunits(b)
    a isa AbstractRange && return typeof(a) == typeof(b) && isequal(a, b)
    if a isa AbstractArray
        a isa Array || (a = collect(a))
        b isa Array && eltype(a) == eltype(b) && size(a) == size(b) || return false
        return all(i -> isassigned(a, i) == isassigned(b, i) && (!isassigned(a, i) || same(a[i], b[i], depth + 1)), eachindex(a, b))
    end
    typeof(a) == typeof(b) || return false
    a isa AbstractDict && return length(a) == length(b) && all(k -> haskey(b, k) && same(a[k], b[k], depth + 1), keys(a))
    a isa AbstractSet && return isequal(a, b)
    a isa Expr && return a == b
    isprimitivetype(typeof(a)) && return isequal(a, b)
    nfields(a) > 0 && all(i -> isdefined(a, i) == isdefined(b, i) && (!isdefined(a, i) || same(getfield(a, i), getfield(b, i), depth + 1)), 1:nfields(a))
end

# The object that a handle in the vectors stands for is not the sender's, so those values are compared as texts only.
is_about_objects(name) = startswith(name, "handle") || startswith(name, "cycle") || name == "deep_70"

function check(path)
    lines = filter(line -> !startswith(line, "#"), readlines(path))
    native = occursin("# julia $VERSION", read(path, String))
    failures = 0
    for line in lines
        name, code, hex = split(line, '\t')
        problem = try
            check_vector(String(name), Core.eval(Main, Meta.parse(code)), hex2bytes(hex), native)
        catch e
            first(sprint(showerror, e, catch_backtrace()), 600)
        end
        problem == "" && continue
        failures += 1
        println("$name: $problem")
    end
    println("$(length(lines)) vectors, $failures failures")
    length(lines) >= 120 && failures == 0
end
function check_vector(name, @nospecialize(value), body, native)
    peer = Runtime.Peer(nothing)
    mine = encode(peer, value)
    native && mine != body && return "encodes as $(bytes2hex(mine))"
    back = decode(peer, mine)
    is_about_objects(name) || same(value, back) || return "its own bytes come back as $(repr(back))"
    is_about_objects(name) && return ""
    from_file = decode(Runtime.Peer(nothing), body)
    same(value, from_file) || return "comes back as $(repr(from_file))"
    again = encode(Runtime.Peer(nothing), from_file)
    native && again != body ? "encodes again as $(bytes2hex(again))" : ""
end

function write_vectors(path)
    open(path, "w") do io
        println(io, "# SPDX-License-Identifier: MIT")
        println(io, "# julia $VERSION: written by tests/vectors/generate.jl")
        for (name, code) in LIST
            println(io, name, '\t', code, '\t', bytes2hex(encode(Runtime.Peer(nothing), Core.eval(Main, Meta.parse(code)))))
        end
    end
    println(length(LIST), " vectors")
end

const PATH = joinpath(@__DIR__, "vectors.txt")
ARGS == ["--check"] ? exit(check(PATH) ? 0 : 1) : write_vectors(PATH)
