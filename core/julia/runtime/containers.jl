# SPDX-License-Identifier: MIT
# The encoder's other half: whatever holds values.

function put_tuple!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    n = entry.n_fields
    named = entry.way == AS_NAMED_TUPLE
    (!named || has_room(e, entry.shape::Descriptor)) && take_values!(e, n) || return put_handle!(e, x, entry)
    if named
        emit!(e, 0x23)
        put_descriptor!(e, entry.shape::Descriptor)
    else
        put_tagged!(e, 0x22, n)
    end
    for i in 1:n
        put_value!(e, getfield(x, i))
    end
    nothing
end

function put_pair!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    emit!(e, 0x24)
    put_value!(e, getfield(x, 1))
    put_value!(e, getfield(x, 2))
end
function put_parts!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    emit!(e, entry.way == AS_COMPLEX ? 0x29 : 0x2a)
    put_value!(e, getfield(x, 1))
    put_value!(e, getfield(x, 2))
end

# Containers can hold themselves: at the point of repetition stands a handle. False if `x` is around this point already, if it would
# make the message too large, or if there is no descriptor left.
function opens!(e::Encoder, @nospecialize(x), n::Int, entry::TypeEntry)
    for y in e.open
        x === y && return false
    end
    has_room(e, named_descriptor(entry)) && take_values!(e, n) || return false
    push!(e.open, x)
    true
end

function put_array!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    element = entry.element
    n = x isa Vector{Any} ? length(x) : length(x)::Int
    if element isa Element && !(element.own_show && n <= MAX_SHOWN)
        bytes = n * sizeof(eltype(entry.type))
        lent = lends((e.peer::Peer).link, bytes)::Bool
        if e.n_descriptors > MAX_DESCRIPTORS - 256 || !lent && offset(e) + bytes + 1024 > (e.peer::Peer).max_frame_bytes
            return put_handle!(e, x, entry)
        end
        emit!(e, lent ? 0x30 : 0x25)
        put_element!(e, element)
        put_dimensions!(e, x)
        lent ? put_loan!(e, x) : put_bits!(e, x, bytes)
        return nothing
    end
    elements = element isa Element ? name_entry(eltype(entry.type), e.home.scope, e.world) : element::TypeEntry
    opens!(e, x, n, elements) || return put_handle!(e, x, entry)
    emit!(e, 0x26)
    put_descriptor!(e, named_descriptor(elements))
    if x isa Vector{Any}
        emit!(e, 0x00000001)
        emit!(e, length(x))
        put_elements!(e, x)
    else
        put_dimensions!(e, x)
        late(put_elements!, e, x)
    end
    pop!(e.open)
    nothing
end
function put_dimensions!(e::Encoder, @nospecialize(x))
    emit!(e, ndims(x) % UInt32)
    for i in 1:ndims(x)
        emit!(e, size(x, i)::Int)
    end
    nothing
end
function put_bits!(e::Encoder, @nospecialize(x), bytes::Int)
    room!(e, 16)
    while offset(e) & 15 != 0
        emit!(e, 0x00)
    end
    if bytes >= IN_PLACE_BYTES
        push!(e.arrays, x)
        push!(e.marks, e.n)
        e.n_array_bytes += bytes
    else
        GC.@preserve x put_bytes!(e, Ptr{UInt8}(pointer(x))::Ptr{UInt8}, bytes)
    end
    nothing
end
# To a host in this process a large array goes as the address of its memory, which it gives back by a number.
lends(@nospecialize(link), n_bytes::Int) = false
function put_loan!(e::Encoder, @nospecialize(x))
    address, id = late(lend!, x)::Tuple{UInt64,UInt64}
    push!(e.loans, id)
    emit!(e, address)
    emit!(e, id)
    nothing
end
function put_elements!(e::Encoder, a::Array)
    for i in 1:length(a)
        isassigned(a, i) ? put_value!(e, @inbounds a[i]) : emit!(e, 0x05)
    end
    nothing
end

# Views and the like, as long as plain memory lies below: others can stand for far more than they hold.
function put_wrapper!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    below = x
    while !(below isa Array) && entry_for(typeof(below), e.home, e.world).way == AS_WRAPPER
        below isa BitArray || below isa Base.CodeUnits && break
        nameof(typeof(below)) === :GenericMemory && break
        parent(below) === below && break
        below = parent(below)
    end
    way = entry_for(typeof(below), e.home, e.world).way
    if way == AS_WRAPPER || way == AS_ARRAY || way == AS_RANGE
        opens!(e, x, 0, entry) || return put_handle!(e, x, entry)
        put_value!(e, collect(x))
        pop!(e.open)
    elseif is_mutable_type(entry.type)
        put_handle!(e, x, entry)
    else
        entry.n_fields = fieldcount(entry.type)
        entry.shape === nothing && (entry.shape = shape_descriptor(entry))
        put_struct!(e, x, entry)
    end
    nothing
end

# The count is written after the pairs: a dictionary can change while a `show` in it waits.
function put_dict!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    pairs = entry.from_base ? x : as_user(e.job, list_of, (x,))
    opens!(e, x, 2 * length(pairs)::Int, entry) || return put_handle!(e, x, entry)
    emit!(e, 0x27)
    put_descriptor!(e, named_descriptor(entry))
    at = e.n
    emit!(e, 0)
    n = late(put_pairs!, e, pairs)::Int
    unsafe_store!(Ptr{Int}(pointer(e.bytes) + at), n)
    pop!(e.open)
    nothing
end
function put_pairs!(e::Encoder, pairs)
    n = 0
    for (k, v) in pairs
        put_value!(e, k)
        put_value!(e, v)
        n += 1
    end
    n
end
function put_set!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    items = entry.from_base ? x : as_user(e.job, list_of, (x,))
    opens!(e, x, length(items)::Int, entry) || return put_handle!(e, x, entry)
    emit!(e, 0x28)
    put_descriptor!(e, named_descriptor(entry))
    at = e.n
    emit!(e, 0)
    n = late(put_items!, e, items)::Int
    unsafe_store!(Ptr{Int}(pointer(e.bytes) + at), n)
    pop!(e.open)
    nothing
end
function put_items!(e::Encoder, items)
    n = 0
    for x in items
        put_value!(e, x)
        n += 1
    end
    n
end
function list_of(@nospecialize(x))
    list = Any[]
    for y in x
        push!(list, y)
    end
    list
end

function put_range!(e::Encoder, @nospecialize(x), entry::TypeEntry)
    has_room(e, named_descriptor(entry)) || return put_handle!(e, x, entry)
    emit!(e, 0x2b)
    put_descriptor!(e, named_descriptor(entry))
    emit!(e, x isa UnitRange ? 0x00 : x isa LinRange ? 0x02 : x isa Base.OneTo ? 0x03 : 0x01)
    put_value!(e, first(x))
    put_value!(e, step(x))
    put_value!(e, last(x))
    put_value!(e, length_of(x))
end
# A range of big or unsigned numbers can be longer than an Int64 tells.
function length_of(@nospecialize(r))
    try
        return convert(Int64, length(r))
    catch
        return typemax(Int64)
    end
end

function put_expr!(e::Encoder, @nospecialize(ex), entry::TypeEntry)
    x = ex::Expr
    opens!(e, x, length(x.args) + 1, entry) || return put_handle!(e, x, entry)
    emit!(e, 0x2c)
    put_value!(e, x.head)
    emit!(e, length(x.args))
    put_elements!(e, x.args)
    pop!(e.open)
    nothing
end

PUT[AS_PRIMITIVE] = put_primitive!
PUT[AS_PAIR] = put_pair!
PUT[AS_COMPLEX] = PUT[AS_RATIONAL] = put_parts!
PUT[AS_ARRAY] = put_array!
PUT[AS_WRAPPER] = put_wrapper!
PUT[AS_DICT] = put_dict!
PUT[AS_SET] = put_set!
PUT[AS_RANGE] = put_range!
PUT[AS_EXPR] = put_expr!
