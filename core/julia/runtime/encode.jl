# SPDX-License-Identifier: MIT
# The encoder: scalars, strings, descriptors, structs and handles. containers.jl has the rest.
#
# An Encoder makes one frame at a time. Large arrays are not copied: `arrays` holds them, and `marks` the positions before which they go
# out. Each executor has an encoder of its own, because a user's `show` may wait in the middle of a message.

const HEADER_BYTES = 16
const MAX_DEPTH = 64
const MAX_VALUES = 1 << 26
const MAX_DESCRIPTORS = 65536
const MAX_TEXT = 4096
const MAX_SHOWN = 4096                  # longer arrays of bits give up what `show` makes of their elements
const IN_PLACE_BYTES = 32768            # smaller arrays are cheaper to copy than to write separately

mutable struct Encoder
    peer::Any
    job::Any                            # the Job whose user code may have to be called
    bytes::Vector{UInt8}
    n::Int                              # bytes used, with the header
    arrays::Vector{Any}
    marks::Vector{Any}
    n_array_bytes::Int
    table::IdDict{Any,Any}              # Descriptor => index
    n_descriptors::Int
    depth::Int
    n_values::Int
    open::Vector{Any}                   # containers around the value, outermost first
    handles::Vector{Any}                # ids made for this message
    loans::Vector{Any}                  # the same of arrays that were lent
    home::Home
    world::UInt
end
Encoder() = Encoder(nothing, nothing, Vector{UInt8}(undef, 1024), HEADER_BYTES, Any[], Any[], 0, IdDict{Any,Any}(), 0, 0, 0, Any[], Any[], Any[], MAIN, 0)

function reset!(e::Encoder, peer::Peer, @nospecialize(job))
    e.peer = peer
    e.job = job
    length(e.bytes) > 1 << 20 && (e.bytes = Vector{UInt8}(undef, 1024))
    e.n = HEADER_BYTES
    if e.n_array_bytes > 0
        empty!(e.arrays); empty!(e.marks)
        e.n_array_bytes = 0
    end
    if e.n_descriptors > 0
        empty!(e.table)
        e.n_descriptors = 0
    end
    e.depth = 0
    e.n_values = 0
    isempty(e.open) || empty!(e.open)
    isempty(e.handles) || empty!(e.handles)
    isempty(e.loans) || empty!(e.loans)
    e.home = peer.home
    e.world = world()
    nothing
end
# A message that is not sent leaves no objects behind.
function abandon!(e::Encoder)
    for id in e.handles
        release!(e.peer::Peer, id::UInt64)
    end
    for id in e.loans
        take_back!(id::UInt64)
    end
    empty!(e.arrays); empty!(e.marks); empty!(e.table)
    e.n_descriptors = 0
    e.n_array_bytes = 0
    nothing
end

@inline function room!(e::Encoder, n::Int)
    e.n + n > length(e.bytes) && grow!(e, n)
    nothing
end
@noinline function grow!(e::Encoder, n::Int)
    resize!(e.bytes, max(2 * length(e.bytes), e.n + n + 64))
    nothing
end
@inline function emit!(e::Encoder, x::T) where {T<:Union{UInt8,UInt16,UInt32,UInt64,Int64,UInt128}}
    room!(e, sizeof(T))
    unsafe_store!(Ptr{T}(pointer(e.bytes) + e.n), x)
    e.n += sizeof(T)
    nothing
end
@inline function put_tagged!(e::Encoder, tag::UInt8, x::T) where {T}
    room!(e, 1 + sizeof(T))
    p = pointer(e.bytes) + e.n
    unsafe_store!(p, tag)
    unsafe_store!(Ptr{T}(p + 1), x)
    e.n += 1 + sizeof(T)
    nothing
end
function put_bytes!(e::Encoder, p::Ptr{UInt8}, n::Int)
    room!(e, n)
    ccall(:memcpy, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), pointer(e.bytes) + e.n, p, n)
    e.n += n
    nothing
end
function put_text!(e::Encoder, s::String)
    emit!(e, sizeof(s))
    GC.@preserve s put_bytes!(e, pointer(s), sizeof(s))
end
put_bytes!(e::Encoder, b::Vector{UInt8}) = GC.@preserve b put_bytes!(e, pointer(b), length(b))
# Position in the body, by which padding is counted.
offset(e::Encoder) = e.n - HEADER_BYTES + e.n_array_bytes

function put_value!(e::Encoder, @nospecialize(x))
    if x isa Int64
        put_tagged!(e, 0x16, x)
    elseif x isa String
        emit!(e, 0x20)
        put_text!(e, x)
    elseif x isa Float64
        put_tagged!(e, 0x1c, x)
    elseif x isa Symbol
        emit!(e, 0x21)
        put_text!(e, String(x))
    elseif x isa Bool
        emit!(e, x ? 0x04 : 0x03)
    elseif x === nothing
        emit!(e, 0x01)
    elseif x === missing
        emit!(e, 0x02)
    else
        put_by_type!(e, x, entry_for(typeof(x), e.home, e.world))
    end
    nothing
end

function put_by_type!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    way = entry.way
    if way == AS_SCALAR
        put_scalar!(e, x)
    elseif way == AS_STRING
        emit!(e, 0x20)
        put_text!(e, entry.from_base ? String(x)::String : as_user(e.job, String, (x,))::String)
    elseif way == AS_HANDLE || e.depth >= MAX_DEPTH
        put_handle!(e, x, entry)
    else
        e.depth += 1
        if way == AS_STRUCT
            put_struct!(e, x, entry)
        elseif way == AS_TUPLE || way == AS_NAMED_TUPLE
            put_tuple!(e, x, entry)
        else
            PUT[way](e, x, entry)
        end
        e.depth -= 1
    end
    nothing
end
# The other ways, by number: looked up at run time, so that each is compiled when it is first needed.
const PUT = Vector{Any}(undef, 16)

function put_scalar!(e::Encoder, @nospecialize(x))
    if x isa Int32
        put_tagged!(e, 0x14, x)
    elseif x isa UInt8
        put_tagged!(e, 0x11, x)
    elseif x isa Char
        put_tagged!(e, 0x1d, reinterpret(UInt32, x))
    elseif x isa Float32
        put_tagged!(e, 0x1b, x)
    elseif x isa UInt64
        put_tagged!(e, 0x17, x)
    elseif x isa Int8
        put_tagged!(e, 0x10, x)
    elseif x isa Int16
        put_tagged!(e, 0x12, x)
    elseif x isa UInt16
        put_tagged!(e, 0x13, x)
    elseif x isa UInt32
        put_tagged!(e, 0x15, x)
    elseif x isa Int128
        put_tagged!(e, 0x18, x)
    elseif x isa UInt128
        put_tagged!(e, 0x19, x)
    else
        put_tagged!(e, 0x1a, x::Float16)
    end
    nothing
end

# An index into the table; the first use in a message is followed by the definition. The last place of the table is kept for a name that
# any handle can bear.
function put_descriptor!(e::Encoder, d::Descriptor)
    index = get(e.table, d, nothing)
    if index === nothing
        e.table[d] = e.n_descriptors
        emit!(e, e.n_descriptors % UInt32)
        e.n_descriptors += 1
        d.layout ? put_layout!(e, d) : put_bytes!(e, d.definition)
    else
        emit!(e, (index::Int) % UInt32)
    end
    nothing
end
has_room(e::Encoder, d::Descriptor) = e.n_descriptors < MAX_DESCRIPTORS - 64 || haskey(e.table, d)
const ANY_OBJECT = Any[]
function any_object()
    isempty(ANY_OBJECT) && push!(ANY_OBJECT, Descriptor(0x01, Any, false, definition(0x01, 0x00, "Any", 0, ())))
    ANY_OBJECT[1]::Descriptor
end

function put_layout!(e::Encoder, d::Descriptor)
    T = d.type
    n = fieldcount(T)
    put_bytes!(e, definition(d.kind, d.kind == 0x03 && has_own_show(T) ? 0x03 : 0x01, d.kind == 0x03 ? type_text(T, e.home.scope) : "", n,
                             d.kind == 0x04 ? () : fieldnames(T)))
    emit!(e, sizeof(T) % UInt32)
    emit!(e, alignment_of(T) % UInt32)
    for i in 1:n
        emit!(e, fieldoffset(T, i) % UInt32)
        put_element!(e, bits_element(fieldtype(T, i))::Element)
    end
    nothing
end
function put_element!(e::Encoder, element::Element)
    put_bytes!(e, element.tags)
    element.struct_type === nothing || put_descriptor!(e, layout_descriptor(entry_for(element.struct_type, e.home, e.world)))
    nothing
end

function put_struct!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    d = entry.shape::Descriptor
    has_room(e, d) && take_values!(e, entry.n_fields) || return put_handle!(e, x, entry)
    emit!(e, 0x2e)
    put_descriptor!(e, d)
    for i in 1:entry.n_fields
        isdefined(x, i) ? put_value!(e, getfield(x, i)) : emit!(e, 0x05)
    end
    entry.own_show && put_text!(e, short_repr(e, x))
    nothing
end
function put_primitive!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    d = entry.shape::Descriptor
    has_room(e, d) || return put_handle!(e, x, entry)
    emit!(e, 0x2e)
    put_descriptor!(e, d)
    box = Ref{Any}(x)
    n = sizeof(entry.type)
    GC.@preserve box put_bytes!(e, unsafe_load(Ptr{Ptr{UInt8}}(pointer_from_objref(box))), n)
    entry.own_show && put_text!(e, short_repr(e, x))
    nothing
end

# Counts values against the limit of a message; a container that would break it becomes a handle.
function take_values!(e::Encoder, n::Int)
    e.n_values + n > MAX_VALUES && return false
    e.n_values += n
    true
end

function put_handle!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    T = entry.type
    flags = x isa Function ? 0x01 : x isa Type ? 0x03 : x isa Module ? 0x04 : 0x00
    id = keep!(e.peer::Peer, x)
    push!(e.handles, id)
    put_tagged!(e, 0x2f, id)
    d = named_descriptor(entry)
    put_descriptor!(e, has_room(e, d) ? d : late(any_object)::Descriptor)
    emit!(e, flags)
    put_text!(e, flags != 0x00 || x isa BigInt || x isa BigFloat || x isa Regex ? short_repr(e, x) : "")
end

# `repr`, bounded. A buffer of bounded size drops what does not fit.
function short_repr(e::Encoder, @nospecialize(x))
    s = as_user(e.job, bounded_repr, (x,))::String
    sizeof(s) <= MAX_TEXT ? s : late(shorten, s, MAX_TEXT)::String
end
function bounded_repr(@nospecialize(x))
    io = IOBuffer(maxsize = MAX_TEXT + 64)
    show(io, x)
    String(take!(io))
end
# Whole characters within `n` bytes, of which the last says that something is missing.
shorten(s::String, n::Int) = string(s[1:prevind(s, thisind(s, n - 2))], '…')
