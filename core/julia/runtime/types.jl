# SPDX-License-Identifier: MIT
# What the encoder knows of each type: how its values are sent, and the bytes of its descriptors, made once.

# A line of a message's table of descriptors. `definition` is what stands after the index; it is empty for a descriptor with layout,
# whose definition names other descriptors and so differs from message to message.
mutable struct Descriptor
    kind::UInt8
    type::Any
    layout::Bool
    definition::Vector{UInt8}
end

# How values of a type are sent.
const AS_STRUCT = 0x01
const AS_HANDLE = 0x02
const AS_TUPLE = 0x03
const AS_NAMED_TUPLE = 0x04
const AS_PAIR = 0x05
const AS_COMPLEX = 0x06
const AS_RATIONAL = 0x07
const AS_STRING = 0x08
const AS_ARRAY = 0x09
const AS_WRAPPER = 0x0a     # an array that wraps memory: sent as the Array it stands for
const AS_DICT = 0x0b
const AS_SET = 0x0c
const AS_RANGE = 0x0d
const AS_EXPR = 0x0e
const AS_PRIMITIVE = 0x0f
const AS_SCALAR = 0x10

mutable struct TypeEntry
    type::Any
    scope::Module               # where its name is shown
    way::UInt8
    from_base::Bool             # its methods are Julia's own, so they may be called masked
    world::UInt                 # when `own_show` and the descriptors were made
    own_show::Bool
    n_fields::Int
    element::Any                # of an array: Element, or the TypeEntry of its element type if it is sent value by value
    named::Any                  # Descriptor of kind 1
    shape::Any                  # Descriptor of kind 2, 3 or 5
    laid_out::Any               # Descriptor with layout
end

const SCALARS = Any[Int8, UInt8, Int16, UInt16, Int32, UInt32, Int64, UInt64, Int128, UInt128, Float16, Float32, Float64, Char, Bool]
const SCALAR_TAGS = IdDict{Any,Any}()
for i in 1:length(SCALARS)
    SCALAR_TAGS[SCALARS[i]] = 0x0f + UInt8(i)
end

struct ShownByDefault end
const DEFAULT_SHOW = which(show, Tuple{IO,ShownByDefault})

# Whether `repr` of a value differs from what the host can make of its type and fields.
function has_own_show(@nospecialize(T))
    try
        return which(show, Tuple{IO,T}) !== DEFAULT_SHOW
    catch
        return true             # Ambiguous: only trying tells.
    end
end

# The type as Julia shows it in a module.
function type_text(@nospecialize(T), scope::Module)
    io = IOBuffer()
    show(IOContext(io, :module => scope), T)
    String(take!(io))
end

function is_from_base(@nospecialize(T))
    m = parentmodule(T)
    while m !== Base && m !== Core
        parentmodule(m) === m && return false
        m = parentmodule(m)
        m === Main && return false
    end
    true
end

function way_of(@nospecialize(T))
    T <: AbstractString && return AS_STRING
    T <: Tuple && return AS_TUPLE
    T <: NamedTuple && return AS_NAMED_TUPLE
    T <: Pair && return AS_PAIR
    T <: Complex && return AS_COMPLEX
    T <: Rational && return AS_RATIONAL
    T <: Expr && return AS_EXPR
    (T <: Function || T <: Type || T <: Module || T <: IO || T <: Task) && return AS_HANDLE
    T <: AbstractArray && return way_of_array(T)
    T <: AbstractDict && return AS_DICT
    T <: AbstractSet && return AS_SET
    haskey(SCALAR_TAGS, T) && return AS_SCALAR
    T === Nothing || T === Missing || T === Symbol ? AS_SCALAR : way_of_other(T)
end
const is_mutable_type = isdefined(Base, :ismutabletype) ? Base.ismutabletype : (@nospecialize(T)) -> T.mutable
function way_of_other(@nospecialize(T))
    isprimitivetype(T) && return AS_PRIMITIVE
    # It points into memory of its own process.
    nameof(T) === :GenericMemoryRef && return AS_HANDLE
    T === Core.SimpleVector || is_mutable_type(T) ? AS_HANDLE : AS_STRUCT
end
function way_of_array(@nospecialize(T))
    T <: Array && return ndims(T) <= 32 ? AS_ARRAY : AS_HANDLE
    T <: Union{UnitRange,StepRange,StepRangeLen,LinRange,Base.OneTo} && return AS_RANGE
    T <: Union{SubArray,Base.ReshapedArray,Base.ReinterpretArray,PermutedDimsArray,BitArray,Base.CodeUnits} && return AS_WRAPPER
    name = nameof(T)
    (name === :Transpose || name === :Adjoint) && nameof(parentmodule(T)) === :LinearAlgebra && return AS_WRAPPER
    name === :GenericMemory && return T.parameters[1] === :not_atomic ? AS_WRAPPER : AS_HANDLE
    way_of_other(T)
end

function entry_for(@nospecialize(T), home::Home, world::UInt)
    entry = get(home.entries, T, nothing)
    if entry === nothing
        way = way_of(T)
        n = way == AS_STRUCT || way == AS_TUPLE || way == AS_NAMED_TUPLE ? fieldcount(T) : 0
        entry = TypeEntry(T, home.scope, way, is_from_base(T), world, false, n, nothing, nothing, nothing, nothing)
        describe(entry)
        home.entries[T] = entry
    elseif (entry::TypeEntry).world != world
        (entry::TypeEntry).world = world
        describe(entry::TypeEntry)
    end
    entry::TypeEntry
end

# From Julia 1.12 on a struct may be defined again. Values of the older type stay where they are: no name leads to it.
function is_replaced(@nospecialize(T))
    m = parentmodule(T)
    name = nameof(T)
    Base.invokelatest(isdefined, m, name) && Base.invokelatest(getfield, m, name) !== Base.typename(T).wrapper
end
# What newer definitions may have changed: whether there is a `show`, and how the module calls the type.
function describe(entry::TypeEntry)
    T = entry.type
    if (entry.way == AS_STRUCT || entry.way == AS_PRIMITIVE) && is_replaced(T)
        entry.way = AS_HANDLE
    end
    if entry.way == AS_STRUCT || entry.way == AS_PRIMITIVE
        own = has_own_show(T)
        if entry.shape === nothing || own != entry.own_show
            entry.own_show = own
            entry.shape = shape_descriptor(entry)
        end
    elseif entry.way == AS_NAMED_TUPLE && entry.shape === nothing
        entry.shape = shape_descriptor(entry)
    elseif entry.way == AS_ARRAY
        element = bits_element(eltype(T))
        entry.element = element === nothing ? name_entry(eltype(T), entry.scope, entry.world) : element
    end
    entry.named = nothing
    entry.laid_out = nothing
    nothing
end

# Element types may be abstract or unions, of which there are no values; their entries serve for the name only.
name_entry(@nospecialize(T), scope::Module, world::UInt) =
    TypeEntry(T, scope, AS_HANDLE, true, world, false, 0, nothing, nothing, nothing, nothing)

function named_descriptor(entry::TypeEntry)
    if entry.named === nothing
        entry.named = Descriptor(0x01, entry.type, false, definition(0x01, 0x00, type_text(entry.type, entry.scope), 0, ()))
    end
    entry.named::Descriptor
end
function shape_descriptor(entry::TypeEntry)
    T = entry.type
    flags = entry.own_show ? 0x02 : 0x00
    if entry.way == AS_PRIMITIVE
        return Descriptor(0x05, T, false, definition(0x05, flags, type_text(T, entry.scope), sizeof(T), ()))
    elseif entry.way == AS_NAMED_TUPLE
        return Descriptor(0x02, T, false, definition(0x02, 0x00, "", entry.n_fields, fieldnames(T)))
    end
    Descriptor(0x03, T, false, definition(0x03, flags, type_text(T, entry.scope), entry.n_fields, fieldnames(T)))
end
function layout_descriptor(entry::TypeEntry)
    if entry.laid_out === nothing
        T = entry.type
        kind = T <: Tuple ? 0x04 : T <: NamedTuple ? 0x02 : 0x03
        entry.laid_out = Descriptor(kind, T, true, UInt8[])
    end
    entry.laid_out::Descriptor
end

function definition(kind::UInt8, flags::UInt8, text::String, n::Int, @nospecialize(names::Tuple))
    io = IOBuffer()
    write(io, kind); write(io, flags)
    write(io, sizeof(text)); write(io, text)
    write(io, n % UInt32)
    for name in names
        s = string(name)
        write(io, sizeof(s)); write(io, s)
    end
    take!(io)
end

# How an element of an array of bits is told: the tags of a scalar, a Complex or a Rational, or `2e` and a descriptor with layout.
# `own_show`: a struct in it has a `show` of its own, which raw bytes cannot carry.
struct Element
    tags::Vector{UInt8}
    struct_type::Any
    own_show::Bool
end
function bits_element(@nospecialize(T))
    tag = get(SCALAR_TAGS, T, nothing)
    tag === nothing || return Element(UInt8[tag], nothing, false)
    isa(T, DataType) && isbitstype(T) && isstructtype(T) && sizeof(T) > 0 || return nothing
    if T <: Complex || T <: Rational
        part = get(SCALAR_TAGS, fieldtype(T, 1), nothing)
        part === nothing || return Element(UInt8[T <: Complex ? 0x29 : 0x2a, part], nothing, false)
        return nothing
    end
    own = !(T <: Tuple) && !(T <: NamedTuple) && has_own_show(T)
    for i in 1:fieldcount(T)
        field = bits_element(fieldtype(T, i))
        field === nothing && return nothing
        own |= field.own_show
    end
    Element(UInt8[0x2e], T, own)
end

# Size and alignment of an element, from what Julia itself answers about an array of them.
alignment_of(@nospecialize(T)) = Int(Base.datatype_alignment(T))
