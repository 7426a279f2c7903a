# SPDX-License-Identifier: MIT
# Julia functions behind C function pointers.
#
# Each gets a method of its own with the C types of its signature, so that Julia's compiler sees all of it. Nothing may be thrown
# through C: the method catches, leaves the exception in its cell, and returns zero. The code is never freed.

const NATIVE = 0x12
const THROW = host_function(7)
const N_NATIVES = Ref(0)
const C_TYPES = Dict{String,Any}(
    "i8" => Int8, "u8" => UInt8, "i16" => Int16, "u16" => UInt16, "i32" => Int32, "u32" => UInt32, "i64" => Int64, "u64" => UInt64,
    "f32" => Float32, "f64" => Float64, "bool" => Cint, "void" => Cvoid)
# An array of Bool has one byte for each.
c_type(name::AbstractString) = name == "bool*" ? Ptr{Bool} : endswith(name, '*') ? Ptr{C_TYPES[name[1:end-1]]} : C_TYPES[name]

# "f64(f64*,i64)": the result, and the arguments.
function parts_of(signature::String)
    result, rest = split(signature, '(')
    result, split(chop(rest), ','; keepempty = false)
end

function get_native_job!(d::Decoder, job::Job)
    job.args = next!(d.source, UInt64)      # the cell
    job.what = get_value!(d)
    job.kwargs = get_value!(d)              # the signature, which the host has checked
    job
end
function perform_native(job::Job)
    f = evaluate_source(module_named(job.peer, nothing), job.what::String, nothing)
    f isa Function || !isempty(Base.invokelatest(methods, f)) || throw(ArgumentError("a function was expected, not a $(typeof(f))"))
    compile_native(f, parts_of(job.kwargs::String)..., job.args::UInt64)
end
function compile_native(@nospecialize(f), result::AbstractString, arguments::Vector, cell::UInt64)
    HAS_NATIVES[] = true
    R = c_type(result)
    types = Any[c_type(a) for a in arguments]
    names = Any[Symbol("a", i) for i in 1:length(types)]
    values = Any[arguments[i] == "bool" ? Expr(:call, !=, names[i], 0) : names[i] for i in 1:length(types)]
    call = Expr(:call, f, values...)
    body = R === Cvoid ? Expr(:block, call, nothing) :
        result == "bool" ? Expr(:call, Cint, Expr(:call, convert, Bool, call)) : Expr(:(::), Expr(:call, convert, R, call), R)
    name = Symbol("malt_native_", N_NATIVES[] += 1)
    method = Expr(:call, name, Any[Expr(:(::), names[i], types[i]) for i in 1:length(types)]...)
    caught = Expr(:block, Expr(:call, leave_exception, cell, :ex), R === Cvoid ? nothing : zero(R))
    Core.eval(@__MODULE__, Expr(:function, method, Expr(:block, Expr(:try, body, :ex, caught))))
    pointer = Core.eval(@__MODULE__, Expr(:macrocall, Symbol("@cfunction"), LineNumberNode(0), name, R, Expr(:tuple, types...)))
    UInt64(UInt(pointer))
end
function leave_exception(cell::UInt64, @nospecialize(ex))
    texts = late(describe_error, nothing, exceptions())::ErrorTexts
    type, message, trace = texts.type, texts.message, texts.backtrace
    ccall(THROW, Cvoid, (UInt64, Ptr{UInt8}, Csize_t, Ptr{UInt8}, Csize_t, Ptr{UInt8}, Csize_t),
          cell, type, sizeof(type), message, sizeof(message), trace, sizeof(trace))
end

OTHER_JOBS[NATIVE] = (get_native_job!, perform_native)

# Functions of the host that are called by address: closures of libffi, with a place for a GError behind their arguments. The host keeps
# a closure as long as its owner is held, which is until nobody can call it any more.

const GET_MESSAGE = host_function(8)
const FREE_ERROR = host_function(9)
const FREE_TEXT = host_function(10)

mutable struct DirectFunction
    call::Any
end

function get_direct_function!(peer::Peer, source::Source)
    code = next!(source, UInt64)
    owner = next!(source, UInt64)
    signature = get_value!(Decoder(source, peer))::String
    f = DirectFunction(nothing)
    hold!(f, owner)
    f.call = direct_method(Ptr{Cvoid}(UInt(code)), parts_of(signature)...)
    f
end
# The method is given the DirectFunction, and so keeps the closure while it runs, but no longer.
function direct_method(code::Ptr{Cvoid}, result::AbstractString, arguments::Vector)
    types = Any[a == "string" ? Cstring : c_type(a) for a in arguments]
    names = Any[Symbol("a", i) for i in 1:length(types)]
    values = Any[exact_argument(arguments[i], names[i], types[i]) for i in 1:length(types)]
    R = result == "string" ? Ptr{UInt8} : c_type(result)
    call = Expr(:call, :ccall, code, R, Expr(:tuple, types..., Ptr{Ptr{Cvoid}}), values..., :failure)
    checked = Expr(:call, finish_direct, :failure, result == "bool" ? :(r != 0) : :r)
    body = Expr(:block, :(failure = Ref{Ptr{Cvoid}}(C_NULL)), :(r = GC.@preserve owner $call), checked)
    Core.eval(@__MODULE__, Expr(:->, Expr(:tuple, :owner, names...), body))
end
# `ccall` would take the memory of any array for a pointer.
function exact_argument(type::AbstractString, name::Symbol, @nospecialize(T))
    type == "bool" && return Expr(:call, Cint, Expr(:(::), name, Bool))
    endswith(type, '*') ? Expr(:(::), name, Array{type == "bool*" ? Bool : eltype(T)}) : name
end
@inline function finish_direct(failure::Ref{Ptr{Cvoid}}, r)
    failure[] == C_NULL || throw_direct(failure[])
    r
end
function finish_direct(failure::Ref{Ptr{Cvoid}}, r::Ptr{UInt8})
    text = r == C_NULL ? nothing : unsafe_string(r)
    ccall(FREE_TEXT, Cvoid, (Ptr{UInt8},), r)
    failure[] == C_NULL || throw_direct(failure[])
    text
end
@noinline function throw_direct(error::Ptr{Cvoid})
    message = unsafe_string(ccall(GET_MESSAGE, Ptr{UInt8}, (Ptr{Cvoid},), error))
    ccall(FREE_ERROR, Cvoid, (Ptr{Cvoid},), error)
    throw(HostError("", message))
end
