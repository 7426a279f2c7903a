# SPDX-License-Identifier: MIT
# Functions of the host, called from Julia: `Malt.host.name(args...)`.
#
# The host sends the names (EXPORT). The first one binds the module `Malt` in Main, or in the module that the host has for its own; `Malt`
# holds `host` and `HostError` and nothing else. In one process there may be several hosts (workers that share it). Which one is meant where
# more than one has a function of that name: the one whose job the calling task runs, else, in tasks that user code has started, the one
# that exported it last.
#
# Any task may call, on any thread; but peers, encoders and transports are for tasks of one thread, and an InterruptException must never
# hit a task in the middle of a frame. So the caller only puts the call into a queue and waits, which is safe everywhere. `forward_calls`
# takes it to an executor (jobs.jl), which encodes and sends it; the reader wakes the caller. It is not the caller who wakes or makes an
# executor, because tasks inherit from the one that makes them, its logger for one, and executors must not inherit from user code.

mutable struct HostCall
    peer::Peer
    name::String
    args::Any
    kwargs::Any
    ended::Any                  # Base.Event
    given_up::Bool
    failed::Bool
    value::Any
end

struct HostError <: Exception
    type::String                # of the exception or error in the host
    message::String
end
Base.showerror(io::IO, e::HostError) = print(io, e.message)

struct Host end
struct HostFunction <: Function
    name::Symbol
end
(f::HostFunction)(args...; kwargs...) = call_host(f.name, args, kwargs)
Base.show(io::IO, f::HostFunction) = print(io, "Malt.host.", f.name)
Base.show(io::IO, ::MIME"text/plain", f::HostFunction) = show(io, f)
Base.show(io::IO, ::Host) = print(io, "Malt.host")
function Base.getproperty(::Host, name::Symbol)
    exporter_of(name)
    HostFunction(name)
end
Base.propertynames(::Host, private::Bool = false) = Core.tuple(exported_names()...)

# What is exported: (name, peer, what to call in this process or nothing), the latest last. The list is replaced and never changed, so that tasks on other threads may read it.
const EXPORTED = Any[Any[]]
# The module, the queue, and the thread on which it is emptied: made by the first export.
const HOST_PARTS = Any[nothing, nothing, 0]

# From the reader.
function export_function!(peer::Peer, name::String, @nospecialize(direct))
    HOST_PARTS[1] === nothing && make_host_parts()
    bind_host_module(peer.home.scope)
    take_back_function!(peer, name)
    EXPORTED[1] = Base.vcat(EXPORTED[1]::Vector{Any}, Any[(Symbol(name), peer, direct)])
    nothing
end
function take_back_function!(peer::Peer, @nospecialize(name))
    left = Any[]
    for entry in EXPORTED[1]::Vector{Any}
        entry[2] === peer && (name === nothing || entry[1] === Symbol(name)) || push!(left, entry)
    end
    EXPORTED[1] = left
    nothing
end
# The host has gone, and Julia goes on: who waits for it, waits no longer.
function end_host_functions!(peer::Peer)
    peer.ended = true
    take_back_function!(peer, nothing)
    for id in collect(keys(peer.host_calls))
        end_host_call(pop!(peer.host_calls, id)::HostCall, true, host_has_gone())
    end
    nothing
end
host_has_gone() = HostError("", "the host of this function has gone")
function make_host_parts()
    m = Module(:Malt, false)
    Core.eval(m, Expr(:const, Expr(:(=), :host, Host())))
    Core.eval(m, Expr(:const, Expr(:(=), :HostError, HostError)))
    HOST_PARTS[2] = Channel{Any}(typemax(Int))
    HOST_PARTS[3] = Threads.threadid()
    begin_masked(forward_calls)
    HOST_PARTS[1] = m
    nothing
end
function bind_host_module(scope::Module)
    if !isdefined(scope, :Malt)
        Core.eval(scope, Expr(:const, Expr(:(=), :Malt, HOST_PARTS[1])))
    elseif getfield(scope, :Malt) !== HOST_PARTS[1]
        throw(ArgumentError("$scope has a Malt of its own, so functions of the host cannot be called Malt.host.name there"))
    end
    nothing
end

function exported_names()
    names = Any[]
    for entry in EXPORTED[1]::Vector{Any}
        entry[1] in names || push!(names, entry[1])
    end
    sort!(names)
end
function exporter_of(name::Symbol)
    found = nothing
    several = false
    for entry in EXPORTED[1]::Vector{Any}
        entry[1] === name || continue
        several = found !== nothing
        found = entry[2]
    end
    found === nothing && throw(ArgumentError("the host exports no function $name; it exports $(listed(exported_names()))"))
    several && Threads.threadid() == HOST_PARTS[3] ? exporter_to(current_task(), name, found::Peer) : found::Peer
end
function direct_function(name::Symbol, peer::Peer)
    for entry in EXPORTED[1]::Vector{Any}
        entry[1] === name && entry[2] === peer && return entry[3]
    end
    nothing
end
# Only a runtime that lives in the host's process can call it by address.
function get_direct_function! end
listed(names::Vector{Any}) = isempty(names) ? "none" : join(names, ", ")
function exporter_to(task::Task, name::Symbol, otherwise::Peer)
    for entry in EXPORTED[1]::Vector{Any}
        entry[1] === name || continue
        for job in values((entry[2]::Peer).jobs)
            (job::Job).task === task && return entry[2]::Peer
        end
    end
    otherwise
end

function call_host(name::Symbol, @nospecialize(args::Tuple), @nospecialize(kwargs))
    named = isempty(kwargs) ? nothing : (; kwargs...)
    peer = exporter_of(name)
    direct = direct_function(name, peer)
    direct === nothing || return Base.invokelatest(direct.call, direct, args...; kwargs...)
    call = HostCall(peer, String(name), args, named, Base.Event(), false, false, nothing)
    # A signal must not leave a lock behind. Other threads get none.
    at_home = Threads.threadid() == HOST_PARTS[3]
    at_home && mask()
    try
        put!(HOST_PARTS[2]::Channel{Any}, call)
        wait(call.ended::Base.Event)
    catch
        call.given_up = true
        rethrow()
    finally
        at_home && unmask()
    end
    call.failed ? throw(call.value) : call.value
end

function forward_calls()
    queue = HOST_PARTS[2]::Channel{Any}
    while true
        isready(queue) ? post!(take!(queue)) : @idle wait(queue)
    end
end
# In an executor.
function send_host_call(call::HostCall, e::Encoder)
    call.given_up && return nothing
    peer = call.peer
    peer.ended && return end_host_call(call, true, host_has_gone())
    try
        reset!(e, peer, nothing)
        put_value!(e, call.name)
        put_value!(e, call.args)
        put_value!(e, call.kwargs)
        offset(e) <= peer.max_frame_bytes || throw(ArgumentError("the arguments are larger than a message may be"))
    catch ex
        abandon!(e)
        end_host_call(call, true, ex)
        return nothing
    end
    while haskey(peer.host_calls, peer.n_host_calls += one(UInt32))
    end
    peer.host_calls[peer.n_host_calls] = call
    send!(e, HOST_CALL, peer.n_host_calls)
end
function end_host_call(call::HostCall, failed::Bool, @nospecialize(value))
    call.failed = failed
    call.value = value
    notify(call.ended::Base.Event)
    nothing
end

# From the reader. An answer that cannot be read is the caller's error.
function get_host_result!(peer::Peer, source::Source, flags::UInt8, id::UInt32)
    failed = flags & 0x01 != 0
    value = try
        d = Decoder(source, peer)
        failed && next!(source, UInt8)
        x = get_value!(d)
        failed ? HostError(x, get_value!(d)) : x
    catch ex
        ex isa EOFError && source.link !== nothing && rethrow()
        failed = true
        ex
    end
    call = pop!(peer.host_calls, id, nothing)
    call === nothing || end_host_call(call::HostCall, failed, value)
    nothing
end
