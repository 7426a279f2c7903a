# SPDX-License-Identifier: MIT
# The decoder's other half: types by their names, and instances of them.

# Types by name: Julia's own without parameters for good, others until something was defined.
const KEPT_TYPES = IdDict{Any,Any}()
function type_named(name::String, home::Home)
    name == "Any" && return Any
    T = get(KEPT_TYPES, name, nothing)
    T === nothing || return T
    if home.world[1] != world()
        empty!(home.named)
        home.world[1] = world()
    end
    T = get(home.named, name, nothing)
    T === nothing || return T
    T = try
        Core.eval(home.scope, Meta.parse(name))
    catch
        nothing
    end
    T isa Type || refuse(nameof(home.scope), " has no type ", name)
    if T isa DataType && isempty(T.parameters) && is_from_base(T)
        KEPT_TYPES[name] = T
    else
        home.named[name] = T
    end
    T
end

# The type of elements that lie in memory as a host said; it must be what this Julia makes of it.
function type_with_layout(shape::Shape, home::Home)
    T = if shape.kind == 0x03
        type_named(shape.name, home)
    elseif shape.kind == 0x02
        NamedTuple{Core.tuple(shape.names...),Core.apply_type(Tuple, shape.elements...)}
    else
        Core.apply_type(Tuple, shape.elements...)
    end
    fits = T isa DataType && isbitstype(T) && sizeof(T) == shape.size && fieldcount(T) == shape.n_fields
    for i in 1:shape.n_fields
        fits = fits && fieldoffset(T, i) == shape.offsets[i] && fieldtype(T, i) === shape.elements[i]
    end
    fits || refuse(shape.name, " is laid out differently here")
    T
end

const LARGE_ARRAY_BYTES = 4 << 20
const HUGE_PAGE_BYTES = 2 << 20
const MADV_HUGEPAGE = Cint(14)

# Memory that is touched for the first time costs a page fault for every 4 KiB, which is most of the time that receiving a large array
# takes; with huge pages there are five hundred times fewer. Where Julia's arrays stand on Memory (1.11), what is given to one counts as
# allocated when it is there: each large array starts a collection that it survives, is taken for old, and so makes the next one a full
# one. So Julia allocates it there, and all pages that lie in it whole are made huge. Older Julia collects for its own arrays, and hardly
# for given ones, which it frees with `free`, as its own.
function new_large_array(@nospecialize(T), @nospecialize(dimensions::Tuple), n_bytes::Int)
    Sys.islinux() || return new_array(T, dimensions)
    if isdefined(Core, :GenericMemory)
        a = new_array(T, dimensions)
        p = ccall(:jl_array_ptr, UInt, (Any,), a)
        skipped = -p & (HUGE_PAGE_BYTES - 1)
        use_huge_pages(p + skipped, (n_bytes - skipped % Int) & -HUGE_PAGE_BYTES)
        return a
    end
    memory = Ref(UInt(0))
    ccall(:posix_memalign, Cint, (Ptr{UInt}, Csize_t, Csize_t), memory, HUGE_PAGE_BYTES, n_bytes) == 0 || throw(OutOfMemoryError())
    use_huge_pages(memory[], n_bytes)
    unsafe_wrap(Array, Ptr{T}(memory[]), dimensions; own = true)
end
use_huge_pages(p::UInt, n::Int) = ccall(:madvise, Cint, (UInt, Csize_t, Cint), p, n, MADV_HUGEPAGE)

# Functions of one line each, called in the newest world: they may run methods of the user.
new_array(@nospecialize(T), @nospecialize(dimensions::Tuple)) = Base.invokelatest(make_array, T, dimensions)
make_array(@nospecialize(T), @nospecialize(dimensions::Tuple)) = Array{T,length(dimensions)}(undef, dimensions)
set_element!(@nospecialize(a), @nospecialize(x), i::Int) = Base.invokelatest(setindex!, a, x, i)
tuple_of(values::Vector{Any}) = Core.tuple(values...)
named_tuple_of(names::Vector{Any}, values::Vector{Any}) = NamedTuple{Core.tuple(names...)}(Core.tuple(values...))
function get_dict!(d::Decoder, tag::UInt8)
    T = type_named(get_shape!(d).name, (d.peer::Peer).home)
    n = get_count!(d.source)
    dict = Base.invokelatest(empty_like, T, AbstractDict, Dict{Any,Any})
    for i in 1:n
        k = get_value!(d)
        Base.invokelatest(setindex!, dict, get_value!(d), k)
    end
    dict
end
function get_set!(d::Decoder, tag::UInt8)
    T = type_named(get_shape!(d).name, (d.peer::Peer).home)
    n = get_count!(d.source)
    set = Base.invokelatest(empty_like, T, AbstractSet, Set{Any})
    for i in 1:n
        Base.invokelatest(push!, set, get_value!(d))
    end
    set
end
# An empty container of the type, or of the plain type where that one cannot be made or filled (`ENV`, `keys(d)`).
function empty_like(@nospecialize(T), @nospecialize(Kind), @nospecialize(Plain))
    T <: Kind || refuse(T, " is not a kind of ", Kind)
    T <: Union{Dict,IdDict,WeakKeyDict,Set,BitSet} || parentmodule(T) !== Base || return Plain()
    try
        return T()
    catch
        return Plain()
    end
end

function get_range!(d::Decoder, tag::UInt8)
    get_shape!(d)
    form = next!(d.source, UInt8)
    form <= 3 || refuse(form, " is not a form of a range")
    a = get_value!(d)
    step = get_value!(d)
    b = get_value!(d)
    n = get_value!(d)
    n isa Int64 || refuse("the length of a range is an Int64")
    Base.invokelatest(make_range, form, a, step, b, n)
end
function make_range(form::UInt8, @nospecialize(a), @nospecialize(step), @nospecialize(b), n::Int64)
    form == 0x00 && return UnitRange(a, b)
    form == 0x02 && return LinRange(a, b, n)
    form == 0x03 && return Base.OneTo(b)
    # Steps of floating point may count otherwise than the range they came from, which was perhaps made by its length.
    r = a:step:b
    length(r) == n ? r : range(a, step = step, length = n)
end

function get_struct!(d::Decoder, tag::UInt8)
    shape = get_shape!(d)
    shape.kind == 0x03 || shape.kind == 0x05 || refuse("a struct names a descriptor of another kind")
    T = type_named(shape.name, (d.peer::Peer).home)
    value = shape.kind == 0x05 ? get_primitive!(d, shape, T) : get_fields!(d, shape, T)
    shape.own_show && get_text!(d.source)
    value
end
function get_primitive!(d::Decoder, shape::Shape, @nospecialize(T))
    T isa DataType && isprimitivetype(T) && sizeof(T) == shape.n_fields || refuse(shape.name, " is another type here")
    b = Vector{UInt8}(undef, shape.n_fields)
    GC.@preserve b begin
        get_bytes!(d.source, pointer(b), length(b))
        return ccall(:jl_new_bits, Any, (Any, Ptr{Cvoid}), T, pointer(b))
    end
end
function get_fields!(d::Decoder, shape::Shape, @nospecialize(T))
    T isa DataType && isstructtype(T) && isconcretetype(T) && fieldcount(T) == shape.n_fields ||
        refuse(shape.name, " has other fields here")
    values = Any[]
    n_set = -1
    for i in 1:shape.n_fields
        x = get_element!(d)
        if x === UNSET
            n_set < 0 && (n_set = i - 1)
        elseif n_set < 0
            push!(values, x isa fieldtype(T, i) ? x : Base.invokelatest(convert, fieldtype(T, i), x))
        else
            refuse("only the last fields of an instance can be unset")
        end
    end
    GC.@preserve values begin
        return ccall(:jl_new_structv, Any, (Any, Ptr{Any}, UInt32), T, pointer(values), length(values))
    end
end

GET[0x27 + 1] = get_dict!
GET[0x28 + 1] = get_set!
GET[0x2b + 1] = get_range!
GET[0x2e + 1] = get_struct!
