# SPDX-License-Identifier: MIT
# The decoder. Bytes come from a Source; construct.jl makes what names a type.

struct DecodeError <: Exception
    text::String
end
Base.showerror(io::IO, e::DecodeError) = print(io, e.text)
@noinline refuse(@nospecialize(parts...)) = throw(DecodeError(late(string, parts...)::String))

# A window on a stream of bytes: `bytes[at + 1 : limit]` has arrived and is not consumed. Where `link` is `nothing` there is no more;
# otherwise `receive(link, pointer, n)` gives between 1 and n more bytes, or 0 at the end.
mutable struct Source
    link::Any
    bytes::Vector{UInt8}
    at::Int
    limit::Int
    passed::Int                         # bytes that have left the window; `passed + at` only grows
    start::Int                          # of the body, by that count
    stop::Int
end
Source(@nospecialize(link), bytes::Vector{UInt8}, limit::Int) = Source(link, bytes, 0, limit, 0, 0, 0)
place(s::Source) = s.passed + s.at
left(s::Source) = s.stop - place(s)

# Makes `n` bytes available in the window, which holds at least that many. False at the end of the stream.
function ensure!(s::Source, n::Int)
    while s.limit - s.at < n
        s.link === nothing && return false
        if s.at > 0
            ccall(:memmove, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), pointer(s.bytes), pointer(s.bytes) + s.at, s.limit - s.at)
            s.limit -= s.at
            s.passed += s.at
            s.at = 0
        end
        k = receive(s.link, pointer(s.bytes) + s.limit, length(s.bytes) - s.limit)::Int
        k > 0 || return false
        s.limit += k
    end
    true
end
# Within a body: its end is a fault of the sender, the end of the stream is the end of everything.
@noinline function want_slowly!(s::Source, n::Int)
    n <= left(s) || refuse("the message ends within a value")
    ensure!(s, n) || throw(EOFError())
    nothing
end
@inline function want!(s::Source, n::Int)
    (s.limit - s.at >= n && left(s) >= n) || want_slowly!(s, n)
    nothing
end
@inline function next!(s::Source, ::Type{T}) where {T}
    want!(s, sizeof(T))
    x = unsafe_load(Ptr{T}(pointer(s.bytes) + s.at))
    s.at += sizeof(T)
    x
end
# What is in the window, then straight into place.
function get_bytes!(s::Source, p::Ptr{UInt8}, n::Int)
    n <= left(s) || refuse("the message ends within a value")
    k = min(n, s.limit - s.at)
    ccall(:memcpy, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), p, pointer(s.bytes) + s.at, k)
    s.at += k
    while k < n
        s.link === nothing && throw(EOFError())
        m = receive(s.link, p + k, n - k)::Int
        m > 0 || throw(EOFError())
        s.passed += m
        k += m
    end
    nothing
end
function skip!(s::Source)
    while left(s) > 0
        s.limit - s.at > 0 || ensure!(s, 1) || throw(EOFError())
        s.at += min(left(s), s.limit - s.at)
    end
    nothing
end
function get_count!(s::Source)
    n = next!(s, UInt64)
    n <= left(s) % UInt64 || refuse("a count of ", n, " is more than the message holds")
    n % Int
end
function get_text!(s::Source)
    n = get_count!(s)
    if n <= s.limit - s.at
        text = unsafe_string(pointer(s.bytes) + s.at, n)
        s.at += n
        return text
    end
    b = Vector{UInt8}(undef, n)
    GC.@preserve b get_bytes!(s, pointer(b), n)
    String(b)
end

# One message.
mutable struct Decoder
    source::Source
    peer::Any
    table::Vector{Any}                  # descriptors, as Shape
    depth::Int
end
Decoder(source::Source, peer::Peer) = Decoder(source, peer, Any[], 0)

struct Shape
    kind::UInt8
    layout::Bool
    own_show::Bool
    name::String
    n_fields::Int
    names::Vector{Any}
    size::Int
    offsets::Vector{Any}
    elements::Vector{Any}               # types of the fields, with layout
end

function get_value!(d::Decoder)
    s = d.source
    tag = next!(s, UInt8)
    if tag == 0x16
        return next!(s, Int64)
    elseif tag == 0x20
        return get_text!(s)
    elseif tag == 0x1c
        return next!(s, Float64)
    elseif tag == 0x01
        return nothing
    elseif tag == 0x03
        return false
    elseif tag == 0x04
        return true
    elseif tag == 0x21
        return Symbol(get_text!(s))
    elseif tag == 0x02
        return missing
    elseif 0x10 <= tag <= 0x1d
        return get_scalar!(s, tag)
    end
    d.depth < 128 || refuse("values are nested too deeply")
    d.depth += 1
    value = get_composite!(d, tag)
    d.depth -= 1
    value
end

function get_scalar!(s::Source, tag::UInt8)
    tag == 0x10 && return next!(s, Int8)
    tag == 0x11 && return next!(s, UInt8)
    tag == 0x12 && return next!(s, Int16)
    tag == 0x13 && return next!(s, UInt16)
    tag == 0x14 && return next!(s, Int32)
    tag == 0x15 && return next!(s, UInt32)
    tag == 0x17 && return next!(s, UInt64)
    tag == 0x18 && return next!(s, Int128)
    tag == 0x19 && return next!(s, UInt128)
    tag == 0x1a && return next!(s, Float16)
    tag == 0x1b && return next!(s, Float32)
    reinterpret(Char, next!(s, UInt32))
end

# By tag: looked up at run time, so that each is compiled when it is first needed.
const GET = Vector{Any}(undef, 256)
function get_composite!(d::Decoder, tag::UInt8)
    tag == 0x22 && return tuple_of(get_values!(d, get_count!(d.source)))
    isassigned(GET, tag + 1) || refuse("0x", string(tag, base = 16), " is not the tag of a value")
    GET[tag + 1](d, tag)
end
function get_named_tuple!(d::Decoder, tag::UInt8)
    shape = get_shape!(d)
    shape.kind == 0x02 || refuse("a named tuple names a descriptor of another kind")
    named_tuple_of(shape.names, get_values!(d, shape.n_fields))
end
function get_pair!(d::Decoder, tag::UInt8)
    a = get_value!(d)
    b = get_value!(d)
    late(tag == 0x24 ? Pair : tag == 0x29 ? Complex : //, a, b)
end

function get_values!(d::Decoder, n::Int)
    values = Vector{Any}(undef, n)
    for i in 1:n
        values[i] = get_value!(d)
    end
    values
end

# A value, or UNSET for `#undef`, which stands only where this is called.
struct Unset end
const UNSET = Unset()
function get_element!(d::Decoder)
    s = d.source
    want!(s, 1)
    if unsafe_load(pointer(s.bytes) + s.at) == 0x05
        s.at += 1
        return UNSET
    end
    get_value!(d)
end

function get_expr!(d::Decoder, tag::UInt8)
    head = get_value!(d)
    head isa Symbol || refuse("the head of an Expr is a Symbol")
    n = get_count!(d.source)
    x = Expr(head)
    for i in 1:n
        push!(x.args, get_value!(d))
    end
    x
end

function get_handle!(d::Decoder, tag::UInt8)
    id = next!(d.source, UInt64)
    get_shape!(d)
    next!(d.source, UInt8)
    get_text!(d.source)
    haskey((d.peer::Peer).handles, id) || refuse("handle ", id, " is not known")
    (d.peer::Peer).handles[id]
end

# Descriptors.
function get_shape!(d::Decoder)
    index = Int(next!(d.source, UInt32))
    index < length(d.table) && return shape_at(d, index)
    index == length(d.table) || refuse("descriptor ", index, " is not the next one")
    push!(d.table, nothing)             # Those inside take the places after it.
    shape = get_definition!(d)
    d.table[index + 1] = shape
    shape
end
function shape_at(d::Decoder, index::Int)
    shape = d.table[index + 1]
    shape === nothing && refuse("descriptor ", index, " contains itself")
    shape::Shape
end
function get_definition!(d::Decoder)
    s = d.source
    kind = next!(s, UInt8)
    1 <= kind <= 5 || refuse(kind, " is not a kind of descriptor")
    flags = next!(s, UInt8)
    flags <= 3 || refuse("a descriptor has unknown flags")
    layout = flags & 1 != 0
    name = get_text!(s)
    n = Int(next!(s, UInt32))
    fields = kind == 0x02 || kind == 0x03 || kind == 0x04
    fields && n > left(s) && refuse("a count of ", n, " is more than the message holds")
    names = Any[]
    if kind == 0x02 || kind == 0x03
        for i in 1:n
            push!(names, Symbol(get_text!(s)))
        end
    end
    size = 0
    offsets = Any[]; elements = Any[]
    if layout
        fields || refuse("a descriptor of kind ", kind, " has a layout")
        size = Int(next!(s, UInt32))
        next!(s, UInt32)
        d.depth < 128 || refuse("descriptors are nested too deeply")
        d.depth += 1
        for i in 1:n
            push!(offsets, Int(next!(s, UInt32)))
            push!(elements, get_element_type!(d))
        end
        d.depth -= 1
    end
    Shape(kind, layout, flags & 2 != 0, name, n, names, size, offsets, elements)
end

# The type of the elements of an array of bits.
function get_element_type!(d::Decoder)
    tag = next!(d.source, UInt8)
    if 0x10 <= tag <= 0x1e
        return SCALARS[tag - 0x0f]
    elseif tag == 0x29 || tag == 0x2a
        part = get_element_type!(d)
        return tag == 0x29 ? Complex{part} : Rational{part}
    elseif tag == 0x2e
        shape = get_shape!(d)
        shape.layout || refuse("the elements of an array of bits have a layout")
        return type_with_layout(shape, (d.peer::Peer).home)
    end
    refuse(tag, " is not the tag of an element")
end

function get_dimensions!(d::Decoder)
    n = Int(next!(d.source, UInt32))
    n <= 32 || refuse("an array of ", n, " dimensions")
    dimensions = Vector{Any}(undef, n)
    total = Int128(1)
    for i in 1:n
        k = next!(d.source, UInt64)
        k <= typemax(Int64) || refuse("an array of ", k, " elements")
        total *= k
        total <= typemax(Int64) || refuse("an array of too many elements")
        dimensions[i] = k % Int
    end
    Core.tuple(dimensions...), total % Int
end
function get_bits_array!(d::Decoder, tag::UInt8)
    T = get_element_type!(d)
    dimensions, n = get_dimensions!(d)
    s = d.source
    padding = -(place(s) - s.start) & 15
    want!(s, padding)
    s.at += padding
    Int128(n) * sizeof(T) <= left(s) || refuse("the message ends within an array")
    if n * sizeof(T) >= LARGE_ARRAY_BYTES
        a = late(new_large_array, T, dimensions, n * sizeof(T))
    else
        a = T === Float64 && length(dimensions) == 1 ? Vector{Float64}(undef, n) : new_array(T, dimensions)
    end
    GC.@preserve a get_bytes!(s, Ptr{UInt8}(pointer(a))::Ptr{UInt8}, n * sizeof(T))
    a
end
function get_value_array!(d::Decoder, tag::UInt8)
    T = type_named(get_shape!(d).name, (d.peer::Peer).home)
    dimensions, n = get_dimensions!(d)
    n <= left(d.source) || refuse("the message ends within an array")
    a = T === Any && length(dimensions) == 1 ? Vector{Any}(undef, n) : new_array(T, dimensions)
    for i in 1:n
        x = get_element!(d)
        x === UNSET || set_element!(a, x, i)
    end
    a
end

GET[0x23 + 1] = get_named_tuple!
GET[0x24 + 1] = GET[0x29 + 1] = GET[0x2a + 1] = get_pair!
GET[0x25 + 1] = get_bits_array!
GET[0x26 + 1] = get_value_array!
GET[0x2c + 1] = get_expr!
GET[0x2f + 1] = get_handle!
